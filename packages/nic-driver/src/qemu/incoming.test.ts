import type { Skb } from '@softnet/contract';
import { makePool, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOutFrame } from '../driver/lay-out.ts';
import { FRAME_LIMIT_BYTES, LENGTH_BYTES, putLength } from './framing.ts';
import type { IncomingHost } from './incoming.ts';
import { Incoming } from './incoming.ts';

function setup(longestBytes: number = FRAME_LIMIT_BYTES) {
  const pool = makePool({ buffers: 4, pages: 40 });
  const reader = new SkbReader();
  const frames: Uint8Array[] = [];
  const host: IncomingHost = {
    makeFrame: (lenBytes) => (lenBytes > longestBytes ? null : layOutFrame(pool, lenBytes)),
    received: (skb: Skb) => {
      const frame = new Uint8Array(skb.len);
      if (reader.open(skb)) reader.copyOut(frame);
      frames.push(frame);
      pool.release(skb);
    },
  };
  return { pool, frames, host };
}

function streamOf(frames: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(frames.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, putLength(bytes, at, frame.length));
    at += LENGTH_BYTES + frame.length;
  }
  return bytes;
}

/** No two frames have the same bytes at the same place. */
const CONTENT = Uint8Array.from({ length: FRAME_LIMIT_BYTES + 256 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

const frame = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 1970, max: 1990 }),
  fc.integer({ min: 6070, max: 6090 }),
  fc.constant(FRAME_LIMIT_BYTES),
);
const frames = fc
  .array(frame, { maxLength: 6 })
  .map((lengths) => lengths.map((lenBytes, number) => CONTENT.subarray(number * 31, number * 31 + lenBytes)));

describe('Incoming', () => {
  it('puts frames together in packet memory, head and pages, wherever the stream is cut and however few are read at a time', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (sent, cuts, budget) => {
        const { pool, frames: received, host } = setup();
        const stream = streamOf(sent);
        const incoming = new Incoming();
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].toSorted((a, b) => a - b);
        for (let i = 1; i < places.length; i++) {
          const chunk = stream.slice(places[i - 1], places[i]);
          // A buffer that is used again, as sockets have it.
          const buffer = new Uint8Array(chunk.length + 10).fill(0xee);
          buffer.set(chunk);
          incoming.take(buffer, chunk.length);
          while (!incoming.idle) {
            const before = received.length;
            expect(incoming.read(host, budget)).toBe(received.length - before);
            expect(received.length - before).toBeLessThanOrEqual(budget);
          }
          buffer.fill(0xdd);
        }
        expect(received.map((each, number) => Buffer.compare(each, sent[number] ?? each))).toEqual(sent.map(() => 0));
        expect([incoming.midFrame, incoming.takePartial(), pool.usage.skbsOut]).toEqual([false, null, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('whatever comes, takes memory for one frame at most, and gives it back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })), (chunks) => {
        const { pool, host } = setup();
        const incoming = new Incoming();
        for (const chunk of chunks) {
          incoming.take(chunk, chunk.length);
          while (!incoming.idle) incoming.read(host, 64);
          expect(pool.usage.skbsOut).toBeLessThanOrEqual(1);
          if (incoming.lyingLength > 0) break;
        }
        const partial = incoming.takePartial();
        if (partial !== null) pool.release(partial);
        expect([pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([0, 40]);
      }),
    );
  });

  it('throws away what nobody has memory for, and what is left of a frame that is taken away', () => {
    const { pool, frames: received, host } = setup(100);
    const incoming = new Incoming();
    const [long, short] = [new Uint8Array(200).fill(1), new Uint8Array(100).fill(2)];
    const stream = streamOf([long, short, short]);
    const read = (from: number, to: number): void => {
      incoming.take(stream.subarray(from, to), to - from);
      while (!incoming.idle) incoming.read(host, 64);
    };
    read(0, 230);
    expect([received.length, incoming.midFrame]).toEqual([0, true]);
    pool.release(incoming.takePartial()!);
    expect(incoming.takePartial()).toBeNull();
    read(230, stream.length);
    expect(received).toEqual([short]);
    expect(pool.usage.skbsOut).toBe(0);
  });
});
