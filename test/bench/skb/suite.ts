import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Suite, Work } from '../work.ts';
import { admitLoop, limitLoop } from './admit.ts';
import { bitByBitLoop, bytesHashLoop, hashLoop, vectorHashLoop } from './hashes.ts';
import { bufferLoop, byHandLoop, cloneLoop, copyLoop, editLoop, kernelPoolLoop, poolLoop } from './packets.ts';
import { skbBytesWorks } from './skb-bytes.ts';
import { copySumLoop, copyThenSumLoop, gigabytesOf, sumLoop, wordsLoop } from './sums.ts';

type Maker = () => Loop | Promise<Loop>;

/** ns of each, ours first. */
function race(name: string, summary: string, ours: Maker, peers: Readonly<Record<string, Maker>>, note?: string): Work {
  const subjects = Object.entries({ softnet: ours, ...peers });
  return {
    name,
    summary,
    units: { ns: 'less' },
    ...(note === undefined ? {} : { note }),
    subjects: subjects.map(([subject, maker]) => ({ name: subject, measure: async () => nsOf(await maker()) })),
  };
}

/** GB/s of each, of so many bytes. */
function speed(name: string, summary: string, lenBytes: number, subjects: Readonly<Record<string, () => Loop>>): Work {
  return {
    name: `${name}-${lenBytes}`,
    summary: `${summary}, ${lenBytes.toLocaleString('en-US')} bytes`,
    units: { 'GB/s': 'more' },
    subjects: Object.entries(subjects).map(([subject, maker]) => ({ name: subject, measure: () => gigabytesOf(maker(), lenBytes) })),
  };
}

/** Sums, copies that sum, hashes; each as it is chosen where there are vector instructions, and by its twin in TypeScript. */
function bulkWorks(): Work[] {
  const sums = [64, 1460, 65_536].map((lenBytes) =>
    speed('skb-checksum', 'the sum of a packet', lenBytes, {
      softnet: () => sumLoop(lenBytes, true),
      plain: () => sumLoop(lenBytes, false),
      'by-words': () => wordsLoop(lenBytes),
    }),
  );
  const copies = [true, false].map((within) =>
    speed(within ? 'skb-copy-sum' : 'skb-copy-sum-across', `a copy ${within ? 'within' : 'to another'} memory, and its sum`, 1460, {
      softnet: () => copySumLoop(1460, within, true),
      plain: () => copySumLoop(1460, within, false),
      'two-passes': () => copyThenSumLoop(1460, within),
    }),
  );
  const hashes = [false, true].map((ipv6) =>
    race(`skb-toeplitz-${ipv6 ? 'ipv6' : 'ipv4'}`, 'the Toeplitz hash of addresses and ports', () => hashLoop(ipv6), {
      'in-place': () => bytesHashLoop(ipv6),
      vectors: () => vectorHashLoop(ipv6),
      'bit-by-bit': () => bitByBitLoop(ipv6),
    }),
  );
  return [...sums, ...copies, ...hashes];
}

/** What must not allocate once warm. */
function quiet(name: string, loop: Maker): Work {
  return {
    name: `allocations-${name}`,
    summary: `bytes that an operation of ${name} allocates once warm`,
    units: { 'B/op': 'less' },
    subjects: [{ name: 'softnet', measure: async () => ({ 'B/op': await bytesPerOperation(await loop()) }) }],
  };
}

const BOUNDS = 'by-hand is the same arithmetic written out: the difference is the price of bounds that a debug build checks.';
const ADMIT = 'limit is a socket that looks at nothing but its own limit.';

/** Packet memory: pools, clones, headers, checksums, hashes. */
export function skbSuite(): Suite {
  const fill: Maker = () => poolLoop(1400);
  return {
    name: 'skb',
    works: [
      race('skb-alloc', 'a packet is made and freed', () => poolLoop(0), { buffer: () => bufferLoop(0) }),
      race('skb-alloc-kernel', 'the same through the port of a kernel, which counts it', kernelPoolLoop, {}),
      race('skb-fill', 'and 1,400 bytes are copied in', fill, { buffer: () => bufferLoop(1400) }),
      race('skb-clone', 'a packet with 3 pages is cloned, and the clone freed', cloneLoop, { copy: copyLoop }),
      race('skb-edit', 'push and pull of three headers', editLoop, { 'by-hand': byHandLoop }, BOUNDS),
      race('skb-admit', "an account lets a packet in, as memory's pressure has it", admitLoop, { limit: limitLoop }, ADMIT),
      ...skbBytesWorks(),
      ...bulkWorks(),
      quiet('skb-fill', fill),
      quiet('skb-alloc-kernel', kernelPoolLoop),
      quiet('skb-clone', cloneLoop),
    ],
  };
}
