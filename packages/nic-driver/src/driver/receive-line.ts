import type { RxQueue, Timer } from '@softnet/contract';
import { SkbQueue } from '@softnet/contract';
import type { ReceiveClassifier } from './receive-classifier.ts';

/** The ring of one receive queue: received frames that wait for the softirq loop. In `RxQueue.ext`; fields only. */
export class ReceiveLine {
  readonly queue: RxQueue;
  readonly frames: SkbQueue;
  /** The device's, where it spreads frames over its queues. */
  readonly classifier: ReceiveClassifier | null;
  /** The device is up. */
  open = false;
  /** Among those that wait for their turn; `next` is the one behind it. */
  waits = false;
  next: ReceiveLine | null = null;
  /** Frames that came in and went out so far, wrapping int32: who moves a flow to another queue waits for those before it. */
  put = 0;
  taken = 0;
  /** Interrupt moderation: armed while frames wait and nobody was told. Null: the queue never had any. */
  timer: Timer | null = null;
  /** When the last generation's timer would have fired; -1: it was not armed. */
  dueUs = -1;
  /** Another line has taken its place. */
  left = false;

  constructor(queue: RxQueue, classifier: ReceiveClassifier | null, frames: SkbQueue = new SkbQueue()) {
    this.queue = queue;
    this.classifier = classifier;
    this.frames = frames;
  }
}
