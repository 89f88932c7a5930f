import { parentPort, workerData } from 'node:worker_threads';
import { vectorWork } from '@softnet/skb';

/** What the other thread is given: the memory itself, and where a packet's bytes lie in it. */
export interface Shown {
  readonly memory: { readonly buffer: SharedArrayBuffer };
  readonly offset: number;
  readonly end: number;
}

const { memory, offset, end } = workerData as Shown;
const bytes = new Uint8Array(memory.buffer);
let plain = 0;
for (let i = offset; i < end; i++) plain += (i - offset) % 2 === 0 ? bytes[i]! << 8 : bytes[i]!;
while (plain > 0xffff) plain = (plain & 0xffff) + (plain >>> 16);
parentPort!.postMessage({ plain, vectors: vectorWork(memory)?.sum(offset, end) });
// And one byte is written, for the first thread to see.
bytes[end] = 0xd7;
