import { copyIn, makePool } from '@softnet/skb';
import { describe, expect, it } from 'vitest';
import { MAX_DATAGRAM_BYTES } from './datagram-link.ts';
import { MOST_SEND_BUFFERS, OutgoingDatagrams } from './outgoing-datagrams.ts';

function setup() {
  const pool = makePool({ buffers: 8, pages: 40 });
  const sent: { frame: number[]; done: ((error: Error | null) => void) | null }[] = [];
  const drained: (Error | null)[] = [];
  const outgoing = new OutgoingDatagrams((error) => drained.push(error));
  const sender = {
    send: (bytes: Uint8Array, from: number, lenBytes: number, done: ((error: Error | null) => void) | null): void => {
      sent.push({ frame: [...bytes.subarray(from, from + lenBytes)], done });
    },
  };
  const put = (frame: Uint8Array): boolean => {
    const skb = pool.alloc(0, 10)!;
    copyIn(skb, frame);
    const taken = outgoing.put(skb, sender);
    pool.release(skb);
    return taken;
  };
  return { outgoing, sent, drained, put, sender };
}

describe('OutgoingDatagrams', () => {
  it('sends each frame by itself, in order, head and pages, and waits for the last one only', () => {
    const { outgoing, sent, put, sender } = setup();
    const frames = [60, 2000, 1, 9000].map((lenBytes, number) => new Uint8Array(lenBytes).fill(number + 1));
    for (const frame of frames) expect(put(frame)).toBe(true);
    expect(sent.length).toBe(3);
    outgoing.flush(sender);
    outgoing.flush(sender);
    expect(sent.map(({ frame }) => frame)).toEqual(frames.map((frame) => [...frame]));
    expect(sent.map(({ done }) => done !== null)).toEqual([false, false, false, true]);
  });

  it('has no more on the way than some buffers, never writes into one of them, and goes on when one is free', () => {
    const { outgoing, sent, drained, put, sender } = setup();
    const longest = (number: number): Uint8Array => new Uint8Array(MAX_DATAGRAM_BYTES).fill(number);
    for (let number = 0; number < MOST_SEND_BUFFERS; number++) expect(put(longest(number))).toBe(true);
    expect([put(longest(9)), outgoing.hasRoom, put(Uint8Array.of(1))]).toEqual([false, false, false]);
    outgoing.flush(sender);
    expect(sent.map(({ frame }) => frame[5])).toEqual([0, 1, 2, 3]);
    const problem = new Error('refused');
    sent[1]!.done!(problem);
    expect([drained, outgoing.hasRoom]).toEqual([[problem], true]);
    expect([put(longest(7)), put(longest(8))]).toEqual([true, false]);
    expect(sent.at(-1)?.frame[5]).toBe(7);
  });
});
