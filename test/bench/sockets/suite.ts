import { nsOf } from '../span.ts';
import type { Figures, Suite, Work } from '../work.ts';
import { idleUdpWorks } from './idle-udp.ts';
import type { Kind } from './socket-tables.ts';
import { binds, connects, fill, lookups, socketKernel } from './socket-tables.ts';

/** Lookups that are counted for the average of sockets looked at. */
const COUNTED = 100_000;

async function lookupFigures(kind: Kind, count: number): Promise<Figures> {
  const kernel = await socketKernel();
  const socks = fill(kernel, kind, count);
  const loop = lookups(kernel, kind, count);
  const counter = (name: string): number => kernel.counters().find((each) => each.name === `socket.${name}`)!.value;
  const before = [counter('lookups'), counter('probes')];
  loop(COUNTED);
  const probes = (counter('probes') - before[1]!) / (counter('lookups') - before[0]!);
  const { ns } = await nsOf(loop);
  if (socks.length !== count + 1) throw new Error('sockets were lost');
  return { ns: ns!, probes };
}

function lookup(kind: Kind, count: number, what: string): Work {
  return {
    name: `sockets-${kind}-${count}`,
    summary: `the socket of a packet, among ${count} ${what}`,
    units: { ns: 'less', probes: 'less' },
    note: 'ten: the same with ten sockets; goal: within 2x at 10,000; probes: sockets looked at, 2 at most at a million',
    subjects: [
      { name: 'softnet', measure: () => lookupFigures(kind, count) },
      { name: 'ten', measure: () => lookupFigures(kind, 10) },
    ],
  };
}

/** Heap that a socket in the tables takes, its record included, with so many. */
function heap(count: number): Work {
  return {
    name: `sockets-bytes-${count}`,
    summary: `heap of one of ${count} connections in the flow table and the ports, its record of 304 bytes included`,
    units: { bytes: 'less' },
    subjects: [
      {
        name: 'softnet',
        measure: async () => {
          const kernel = await socketKernel();
          globalThis.gc!();
          const before = process.memoryUsage().heapUsed;
          const socks = fill(kernel, 'connected', count);
          globalThis.gc!();
          const bytes = (process.memoryUsage().heapUsed - before) / socks.length;
          return { bytes };
        },
      },
    ],
  };
}

function connect(open: number): Work {
  return {
    name: `sockets-connect-${open}`,
    summary: `a port by the double hash, and the flow table: connect and close, with ${open} connections open to a thousand peers`,
    units: { ns: 'less' },
    subjects: [{ name: 'softnet', measure: async () => nsOf(connects(await socketKernel(), open)) }],
  };
}

function bind(kind: 'chosen' | 'shared', open: number): Work {
  const what = kind === 'chosen' ? 'to a port that is chosen' : 'to one port by SO_REUSEPORT';
  return {
    name: `sockets-bind-${kind}-${open}`,
    summary: `bind ${what}, and close, with ${open} of them open`,
    units: { ns: 'less' },
    subjects: [{ name: 'softnet', measure: async () => nsOf(binds(await socketKernel(), kind, open)) }],
  };
}

/** The flow table and the ports. */
export function socketsSuite(): Suite {
  return {
    name: 'sockets',
    works: [
      lookup('connected', 10_000, 'connections'),
      lookup('connected', 100_000, 'connections'),
      lookup('connected', 1_000_000, 'connections'),
      lookup('shared', 10_000, 'sockets that share a port'),
      connect(1000),
      connect(100_000),
      bind('chosen', 1000),
      bind('shared', 1000),
      heap(10_000),
      heap(1_000_000),
      ...idleUdpWorks(),
    ],
  };
}
