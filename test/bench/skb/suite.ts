import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Suite, Work } from '../work.ts';
import { admitLoop, limitLoop } from './admit.ts';
import { bufferLoop, byHandLoop, cloneLoop, copyLoop, editLoop, kernelPoolLoop, poolLoop } from './packets.ts';
import { skbBytesWorks } from './skb-bytes.ts';
import { sumLoop, wordsLoop } from './sums.ts';

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

/** Packet memory: pools, clones, headers, checksums. */
export function skbSuite(): Suite {
  const fill: Maker = () => poolLoop(1400);
  const sums = [20, 1460, 3960].map((lenBytes) =>
    race(`skb-checksum-${lenBytes}`, `the sum of ${lenBytes} bytes`, () => sumLoop(lenBytes), { 'by-words': () => wordsLoop(lenBytes) }),
  );
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
      ...sums,
      quiet('skb-fill', fill),
      quiet('skb-alloc-kernel', kernelPoolLoop),
      quiet('skb-clone', cloneLoop),
    ],
  };
}
