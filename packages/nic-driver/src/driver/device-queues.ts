import type { DropReason, FlowKey, FlowRule, NetDevice, Random, RxQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FEATURE, evenIndirection, NetError, ReceiveSpread, RSS_KEY_BYTES, RxQueue as RxQueueRecord } from '@softnet/contract';
import type { Completions } from './completions.ts';
import { makeQueues } from './device-spec.ts';
import { queueByRules, withAutomaticRule } from './flow-rules.ts';
import { ReceiveClassifier } from './receive-classifier.ts';
import { ReceiveLine } from './receive-line.ts';
import type { ReceiveLines } from './receive-lines.ts';
import { lineOf } from './receive-lines.ts';

/** What {@link DeviceQueues} works with. */
export interface QueueParts {
  readonly lines: ReceiveLines;
  readonly completions: Completions;
  readonly random: Random;
  /** `DriverSpec.classifies`. */
  readonly classifies: boolean;
  readonly isDown: DropReason;
}

/** The queues of a driver's devices: rings, moderation, channels, spreading and steering, and what becomes of them at a hand-over. */
export class DeviceQueues {
  readonly #parts: QueueParts;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** A device's queues are new. */
  plug(device: NetDevice): void {
    const { classifies } = this.#parts;
    if (classifies && device.rxQueues.length > 1) device.rss ??= this.#evenSpread(device.rxQueues.length);
    const classifier = classifies ? this.#classifierOf(device) : null;
    for (const queue of device.rxQueues) {
      const line = new ReceiveLine(queue, classifier);
      queue.ext = line;
      this.#parts.lines.moderate(line);
    }
    for (const queue of device.txQueues) this.#parts.completions.moderate(queue);
  }

  /** The device is gone, or its queues are. It is down. */
  unplug(device: NetDevice): void {
    for (const queue of device.rxQueues) lineOf(queue).left = true;
    for (const queue of device.txQueues) this.#parts.completions.forget(queue);
  }

  isOpen(device: NetDevice): boolean {
    return lineOf(device.rxQueues[0]!).open;
  }

  /** It goes up or down: then what waits is dropped. */
  setOpen(device: NetDevice, open: boolean): void {
    const { lines, completions, isDown } = this.#parts;
    for (const queue of device.rxQueues) {
      const line = lineOf(queue);
      line.open = open;
      if (!open) lines.clear(line, isDown);
    }
    if (!open) for (const queue of device.txQueues) completions.flush(queue);
  }

  /** The next generation takes the device over. */
  leave(device: NetDevice): void {
    for (const queue of device.rxQueues) this.#parts.lines.leave(lineOf(queue));
    for (const queue of device.txQueues) this.#parts.completions.forget(queue);
  }

  /** Takes it over, with all that waits. */
  adopt(device: NetDevice): void {
    const { lines, completions, classifies } = this.#parts;
    const before = device.rxQueues.map(lineOf);
    const classifier = classifies ? this.#classifierOf(device) : null;
    for (const [i, queue] of device.rxQueues.entries()) {
      queue.ext = new ReceiveLine(queue, classifier, before[i]!.frames);
      lines.resume(lineOf(queue), before[i]!);
    }
    const theirs = before[0]!.classifier;
    if (theirs !== null) classifier?.inherit(theirs);
    for (const queue of device.txQueues) completions.moderate(queue);
  }

  moderated(queue: RxQueue | TxQueue): void {
    if (queue instanceof RxQueueRecord) this.#parts.lines.moderate(lineOf(queue));
    else this.#parts.completions.moderate(queue);
  }

  /** The device is down. netdev sees to it that its RSS table and its rules name no queue that is missing. */
  channels(device: NetDevice, rxQueues: number, txQueues: number): void {
    this.unplug(device);
    makeQueues(device, rxQueues, txQueues);
    this.plug(device);
  }

  spread(device: NetDevice, spread: ReceiveSpread): void {
    device.rss = spread;
    lineOf(device.rxQueues[0]!).classifier?.setSpread(spread);
  }

  flowRules(device: NetDevice, rules: readonly FlowRule[]): void {
    if (rules.length > device.flowRules.length && (device.features & DEVICE_FEATURE.FLOW_STEERING) === 0) {
      throw new NetError('EOPNOTSUPP', `${device.name} does not steer flows: switch its feature FLOW_STEERING on first`);
    }
    device.flowRules = rules;
    lineOf(device.rxQueues[0]!).classifier?.setRules(rules);
  }

  steer(device: NetDevice, key: FlowKey, queue: number): boolean {
    if ((device.features & DEVICE_FEATURE.FLOW_STEERING) === 0 || queue >= device.rxQueues.length) return false;
    const changed = withAutomaticRule(device.flowRules, key, queue);
    if (changed === null) return false;
    const { rules, evicted } = changed;
    const { classifier } = lineOf(device.rxQueues[0]!);
    device.flowRules = rules;
    classifier?.setRule(key, queueByRules(rules, key));
    if (evicted !== null) classifier?.setRule(evicted.key, queueByRules(rules, evicted.key));
    return true;
  }

  #classifierOf(device: NetDevice): ReceiveClassifier {
    return new ReceiveClassifier(device, () => this.#makeKey());
  }

  #evenSpread(rxQueues: number): ReceiveSpread {
    return new ReceiveSpread(this.#makeKey(), evenIndirection(rxQueues));
  }

  /** By chance: a key that strangers know lets them choose the queue. */
  #makeKey(): Uint8Array {
    const key = new Uint8Array(RSS_KEY_BYTES);
    this.#parts.random.fill(key);
    return key;
  }
}
