import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Subject, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';
import type { WireSetting } from './frame-rig.ts';
import { bufferQueue, burstFrames, loopbackFrames, messagePorts, singleFrames, wireFrames } from './frame-rig.ts';

const SIZES = [64, 1514] as const;
const SEGMENTS = 16;
const SEGMENT_BYTES = 1472;
/** So much code is not optimised within the usual warm-up. */
const WARM_UP = 100_000;
const NOTE =
  'In batches of 32, each frame copied in; from transmit to the handler above the other device, queue, softirq loop and all. buffer-queue: a Buffer for each frame in an array, and nothing else. message-port: from one to another in this process.';

type Make = () => Loop | Promise<Loop>;

function timed(make: Make): Subject['measure'] {
  return async () => {
    const loop = await make();
    await loop(WARM_UP / 10);
    return await nsOf(loop);
  };
}

function race(name: string, summary: string, subjects: Readonly<Record<string, Make>>, note: string = NOTE): Work {
  const all = Object.entries(subjects).map(([subject, make]) => ({ name: subject, measure: timed(make) }));
  return { name, summary, units: { ns: 'less' }, note, subjects: all };
}

function quiet(name: string, ours: () => Promise<Loop>): Work {
  return {
    name: `allocations-${name}`,
    summary: `bytes that a frame of ${name} allocates once warm`,
    units: { 'B/op': 'less' },
    note: 'goal: 0',
    subjects: [{ name: SOFTNET, measure: async () => ({ 'B/op': await bytesPerOperation(await ours()) }) }],
  };
}

const FOUR: WireSetting = Object.freeze({ queues: 4, card: true });
const SPLIT: WireSetting = Object.freeze({ headerSplit: true });

/** Frames through loopback and wires. */
export function frameWorks(): Work[] {
  const sizes = SIZES.flatMap((lenBytes) => {
    const peers = { 'buffer-queue': () => bufferQueue(lenBytes), 'message-port': () => messagePorts(lenBytes) };
    return [
      race(`frames-loopback-${lenBytes}`, `a frame of ${lenBytes} bytes through lo`, {
        [SOFTNET]: () => loopbackFrames(lenBytes),
        ...peers,
      }),
      race(`frames-wire-${lenBytes}`, `a frame of ${lenBytes} bytes over a wire between two kernels`, {
        [SOFTNET]: () => wireFrames(lenBytes),
        ...peers,
      }),
      race(`frames-wire-4-${lenBytes}`, `the same with four queues: RSS, rules for every other flow, checksums verified, moderation`, {
        [SOFTNET]: () => wireFrames(lenBytes, FOUR),
        'one-queue': () => wireFrames(lenBytes),
        ...peers,
      }),
    ];
  });
  return [
    ...sizes,
    race(
      'frames-wire-split',
      'a frame of 1,514 bytes whose payload lands on a page of its own',
      {
        [SOFTNET]: () => wireFrames(1514, SPLIT),
        'not-split': () => wireFrames(1514),
      },
      'not-split: all of it in the head.',
    ),
    race(
      'frames-wire-burst',
      `${SEGMENTS} datagrams of ${SEGMENT_BYTES} bytes in a burst, between ends that offload`,
      {
        [SOFTNET]: () => burstFrames(SEGMENT_BYTES, SEGMENTS),
        'single-frames': () => singleFrames(SEGMENT_BYTES, SEGMENTS),
      },
      'An operation is the whole burst; single-frames: as many frames, one by one.',
    ),
    quiet('frames-loopback', () => loopbackFrames(1514)),
    quiet('frames-wire', () => wireFrames(1514)),
    quiet('frames-wire-4', () => wireFrames(1514, FOUR)),
    quiet('frames-wire-split', () => wireFrames(1514, SPLIT)),
    quiet('frames-wire-burst', () => burstFrames(SEGMENT_BYTES, SEGMENTS)),
  ];
}
