import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_LIMIT_BYTES, LENGTH_BYTES, putLength } from './framing.ts';
import type { IncomingHost } from './incoming.ts';
import { Incoming } from './incoming.ts';

function setup() {
  const frames: Uint8Array[] = [];
  const host: IncomingHost = { frame: (bytes, from, lenBytes) => void frames.push(bytes.slice(from, from + lenBytes)) };
  return { frames, host };
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
  it('hands frames on as they were sent, wherever the stream is cut and however few are read at a time', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (sent, cuts, budget) => {
        const { frames: received, host } = setup();
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
        expect(incoming.midFrame).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('whatever comes, hands on no more than came, and says when nothing more can be read', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })), (chunks) => {
        const { frames: received, host } = setup();
        const incoming = new Incoming();
        let came = 0;
        for (const chunk of chunks) {
          incoming.take(chunk, chunk.length);
          came += chunk.length;
          while (!incoming.idle) incoming.read(host, 64);
          if (incoming.lyingLength > 0) break;
        }
        expect(received.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0)).toBeLessThanOrEqual(came);
        expect(incoming.lyingLength === 0 || incoming.lyingLength > FRAME_LIMIT_BYTES).toBe(true);
      }),
    );
  });

  it('goes on behind a frame whose reader throws: whole ones, cut ones, the last of a chunk', () => {
    const sent = [1, 2, 3, 4].map((fill) => new Uint8Array(100).fill(fill));
    const { frames: received, host } = setup();
    const bad: IncomingHost = {
      frame: (bytes, from, lenBytes) => {
        if (bytes[from]! % 2 === 0) throw new Error('of a parser');
        host.frame(bytes, from, lenBytes);
      },
    };
    const stream = streamOf(sent);
    const incoming = new Incoming();
    let thrown = 0;
    for (const [from, to] of [
      [0, 150],
      [150, stream.length],
    ] as const) {
      incoming.take(stream.subarray(from, to), to - from);
      while (!incoming.idle) {
        try {
          incoming.read(bad, 64);
        } catch {
          thrown++;
        }
      }
    }
    expect([thrown, received]).toEqual([2, [sent[0], sent[2]]]);
  });
});
