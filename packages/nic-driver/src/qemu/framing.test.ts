import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrameSink } from './framing.ts';
import { FRAME_LIMIT_BYTES, FrameParser, LENGTH_BYTES, putLength } from './framing.ts';

/** Keeps whole frames, and sees to it that begin, part and end come in order. */
class Collector implements FrameSink {
  readonly frames: Uint8Array[] = [];
  begun: number[] = [];
  /** Frames until it wants no more. */
  budget = 0;
  #open: { bytes: Uint8Array; at: number } | null = null;

  begin(lenBytes: number): void {
    expect(this.#open).toBeNull();
    expect(lenBytes).toBeLessThanOrEqual(FRAME_LIMIT_BYTES);
    this.begun.push(lenBytes);
    this.#open = { bytes: new Uint8Array(lenBytes), at: 0 };
  }
  part(chunk: Uint8Array, from: number, lenBytes: number): void {
    expect(lenBytes).toBeGreaterThan(0);
    expect(from + lenBytes).toBeLessThanOrEqual(chunk.length);
    this.#open!.bytes.set(chunk.subarray(from, from + lenBytes), this.#open!.at);
    this.#open!.at += lenBytes;
  }
  end(): boolean {
    expect(this.#open!.at).toBe(this.#open!.bytes.length);
    this.frames.push(this.#open!.bytes);
    this.#open = null;
    return --this.budget !== 0;
  }
}

function streamOf(frames: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(frames.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const frame of frames) {
    at = putLength(bytes, at, frame.length);
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

/** Cuts at these places, which may be the same or lie outside. */
function* cut(bytes: Uint8Array, at: readonly number[]): Generator<Uint8Array> {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  for (let i = 1; i < places.length; i++) yield bytes.subarray(places[i - 1], places[i]);
}

const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
const cuts = fc.array(fc.nat(), { maxLength: 40 });

describe('FrameParser', () => {
  it('finds the frames, wherever the stream is cut', () => {
    fc.assert(
      fc.property(frames, cuts, (sent, places) => {
        const sink = new Collector();
        const parser = new FrameParser(sink);
        for (const chunk of cut(streamOf(sent), places)) expect(parser.accept(chunk)).toBe(chunk.length);
        expect(sink.frames).toEqual(sent);
        expect([parser.midFrame, parser.lyingLength]).toEqual([false, 0]);
      }),
    );
  });

  it('stops when the sink wants no more for now, and goes on where it stood', () => {
    fc.assert(
      fc.property(frames, cuts, fc.integer({ min: 1, max: 4 }), (sent, places, budget) => {
        const sink = new Collector();
        const parser = new FrameParser(sink);
        for (const chunk of cut(streamOf(sent), places)) {
          for (let at = 0; at < chunk.length; ) {
            const before = sink.frames.length;
            sink.budget = budget;
            at = parser.accept(chunk, at);
            expect(sink.frames.length - before).toBeLessThanOrEqual(budget);
            if (at < chunk.length) expect(sink.frames.length - before).toBe(budget);
          }
        }
        expect(sink.frames).toEqual(sent);
      }),
    );
  });

  it('finds them byte by byte, and knows at each byte whether it stands between two', () => {
    const sent = [new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array([4])];
    const sink = new Collector();
    const parser = new FrameParser(sink);
    const between = Array.from(streamOf(sent), (byte) => {
      parser.accept(Uint8Array.of(byte));
      return !parser.midFrame;
    });
    expect(sink.frames).toEqual(sent);
    expect(between.map((is, at) => (is ? at + 1 : 0)).filter((at) => at > 0)).toEqual([7, 11, 16]);
  });

  it('takes whatever comes: all that it gives out was announced, and after a lying length nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const sink = new Collector();
        const parser = new FrameParser(sink);
        let good = true;
        for (const chunk of chunks) {
          const taken = parser.accept(chunk);
          const accepted = parser.lyingLength === 0;
          expect(taken === chunk.length || !accepted).toBe(true);
          expect(accepted && !good).toBe(false);
          good = accepted;
          if (!good) expect(parser.lyingLength).toBeGreaterThan(FRAME_LIMIT_BYTES);
        }
        const given = sink.begun.reduce((sum, lenBytes) => sum + LENGTH_BYTES + lenBytes, 0);
        const whole = sink.frames.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0);
        expect(whole).toBeLessThanOrEqual(chunks.reduce((sum, { length }) => sum + length, 0));
        expect(given).toBeGreaterThanOrEqual(whole);
      }),
    );
  });

  it('stops at a length beyond the limit, and says which', () => {
    const lying = new Uint8Array(LENGTH_BYTES + 20);
    for (const [length, good] of [
      [FRAME_LIMIT_BYTES, true],
      [FRAME_LIMIT_BYTES + 1, false],
      [0xffff_ffff, false],
    ] as const) {
      putLength(lying, 0, length);
      const sink = new Collector();
      const parser = new FrameParser(sink);
      expect(parser.accept(streamOf([new Uint8Array(5)]))).toBe(LENGTH_BYTES + 5);
      expect(parser.accept(lying)).toBe(good ? lying.length : LENGTH_BYTES);
      expect([sink.begun, parser.lyingLength]).toEqual([good ? [5, length] : [5], good ? 0 : length]);
      expect(parser.accept(streamOf([new Uint8Array(5)]))).toBe(good ? LENGTH_BYTES + 5 : 0);
      expect(sink.frames).toHaveLength(1);
    }
  });
});
