import { copyIn, makePool } from '@softnet/skb';
import { describe, expect, it } from 'vitest';
import { FRAME_LIMIT_BYTES, LENGTH_BYTES, putLength } from './framing.ts';
import { Outgoing, SEND_BUFFER_BYTES } from './outgoing.ts';

function setup() {
  const pool = makePool({ buffers: 8, pages: 40 });
  const outgoing = new Outgoing();
  const written: { bytes: Uint8Array; done: () => void }[] = [];
  const put = (frame: Uint8Array): boolean => {
    const skb = pool.alloc(0, 10)!;
    copyIn(skb, frame);
    const taken = outgoing.put(skb);
    pool.release(skb);
    return taken;
  };
  let full = false;
  const writer = {
    write: (bytes: Uint8Array, done: () => void): boolean => {
      written.push({ bytes, done });
      return !full;
    },
  };
  const setFull = (is: boolean): void => {
    full = is;
  };
  return { outgoing, written, put, writer, setFull };
}

function framed(frame: Uint8Array): number[] {
  const bytes = new Uint8Array(LENGTH_BYTES + frame.length);
  bytes.set(frame, putLength(bytes, 0, frame.length));
  return [...bytes];
}

describe('Outgoing', () => {
  it('writes many frames at once, each behind its length, head and pages', () => {
    const { outgoing, written, put, writer } = setup();
    const frames = [5, 0, 2000, 9000].map((lenBytes, number) => new Uint8Array(lenBytes).fill(number + 1));
    for (const frame of frames) expect(put(frame)).toBe(true);
    expect(written).toEqual([]);
    expect(outgoing.flush(writer)).toBe(true);
    expect(written.map(({ bytes }) => [...bytes])).toEqual([frames.flatMap(framed)]);
    expect([outgoing.flush(writer), written.length]).toEqual([true, 1]);
  });

  it('takes the longest frame, and no more than a buffer has room for until it is flushed', () => {
    const { outgoing, written, put, writer } = setup();
    expect(put(new Uint8Array(FRAME_LIMIT_BYTES))).toBe(true);
    expect(put(new Uint8Array(0))).toBe(false);
    outgoing.flush(writer);
    expect(put(new Uint8Array(1))).toBe(true);
    expect(written[0]!.bytes.length).toBe(SEND_BUFFER_BYTES);
  });

  it('says when the writer is full, and never writes into what it has not done with', () => {
    const { outgoing, written, put, writer, setFull } = setup();
    setFull(true);
    for (let i = 0; i < 5; i++) {
      put(Uint8Array.of(i));
      expect(outgoing.flush(writer)).toBe(false);
    }
    const buffers = () => new Set(written.map(({ bytes }) => bytes.buffer)).size;
    expect([buffers(), ...written.map(({ bytes }) => bytes[4])]).toEqual([5, 0, 1, 2, 3, 4]);
    for (const { done } of written) done();
    for (let i = 0; i < 5; i++) {
      put(Uint8Array.of(i));
      outgoing.flush(writer);
      written.at(-1)!.done();
    }
    expect(buffers()).toBe(5);
  });
});
