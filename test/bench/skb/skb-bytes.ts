import { Fragment, Skb } from '@softnet/contract';
import { makePool } from '@softnet/skb';
import { bytesKeptEach } from '../heap.ts';
import type { Subject, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';

const COUNT = 100_000;

/** Heap of the records that a packet and its pages take, each kept by an array. */
function recordBytes(make: () => unknown): number {
  return bytesKeptEach(COUNT, (things) => {
    for (let i = 0; i < COUNT; i++) things[i] = make();
  });
}

function skbBytes(): number {
  const { memory } = makePool();
  return recordBytes(() => new Skb(memory));
}

function fragmentBytes(): number {
  const { memory } = makePool();
  const source = { share: () => null, release: () => {} };
  return recordBytes(() => new Fragment(memory, source));
}

/** Of Linux on x86-64, as `pahole` says: written down, not measured here. */
function linux(name: string, bytes: number): Subject {
  return { name, measure: () => ({ B: bytes }) };
}

/** What a packet takes beside its bytes. */
export function skbBytesWorks(): Work[] {
  const units = { B: 'less' } as const;
  return [
    {
      name: 'skb-bytes',
      summary: 'metadata of a packet: bytes on the heap',
      units,
      note: "Linux's are of x86-64, written down: struct sk_buff, and with it the skb_shared_info behind each buffer, where its gso fields and its 17 places for fragments are. Ours are in the one record, but for fragments.",
      subjects: [{ name: SOFTNET, measure: () => ({ B: skbBytes() }) }, linux('linux-sk_buff', 232), linux('linux-with-shared-info', 552)],
    },
    {
      name: 'skb-fragment-bytes',
      summary: 'metadata of a page of a packet: bytes on the heap',
      units,
      note: "Linux's is skb_frag_t, whose 17 places each buffer has, used or not.",
      subjects: [{ name: SOFTNET, measure: () => ({ B: fragmentBytes() }) }, linux('linux-skb_frag_t', 16)],
    },
  ];
}
