import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import { gvisorLack, gvisorNs } from '../udp/gvisor-peer.ts';
import type { Suite, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';
import { nodeBulkLoop, nodeConnectionLoop, nodeRoundTripLoop } from './node-peer.ts';
import { bulkLoop, connectionLoop, lossyMbps, roundTripLoop } from './streams.ts';

const BLOCK_BITS = 65_536 * 8;
const PEERS =
  "per second of CPU, all threads. node-net: Node's own sockets over the machine's loopback: it pays for system calls, and its frames are 64 KiB. gvisor: two of its stacks in one process, in " +
  'Go, with Ethernet, neighbours and checksums as softnet has them, on one core';
const LOSS_SECONDS = 20;
const LOSS_SEEDS = [1, 2, 3, 4, 5, 6] as const;

interface Race {
  readonly name: string;
  readonly summary: string;
  readonly unit: string;
  readonly goal: string;
  /** What one operation counts for, in 1e9 of the unit. */
  readonly each: number;
  readonly ours: () => Promise<Loop>;
  readonly node: () => Promise<Loop>;
  readonly gvisor: readonly [string, number];
}

function race({ name, summary, unit, goal, each, ours, node, gvisor }: Race): Work {
  const rate = (ns: number) => ({ [unit]: each / ns });
  return {
    ...{ name, summary },
    units: { [unit]: 'more' },
    note: `goal: ${goal}; ${PEERS}`,
    subjects: [
      { name: SOFTNET, measure: async () => rate((await nsOf(await ours())).ns!) },
      { name: 'node-net', measure: async () => rate((await nsOf(await node())).ns!) },
      { name: 'gvisor', lack: gvisorLack, measure: () => rate(gvisorNs('tcp', ...gvisor)) },
    ],
  };
}

function bulk(mtuBytes: number, goal: string): Work {
  return race({
    name: `tcp-bulk-${mtuBytes}`,
    summary: `a stream between two hosts, frames of ${mtuBytes} bytes, checksums computed and verified`,
    ...{ unit: 'Gbit/s', goal, each: BLOCK_BITS, ours: () => bulkLoop(mtuBytes), node: nodeBulkLoop, gvisor: ['bulk', mtuBytes] },
  });
}

function lossWork(): Work {
  const mbps = async (control: string) => ({ 'Mbit/s': await lossyMbps(control, 0.01, 10_000, LOSS_SECONDS, LOSS_SEEDS) });
  return {
    name: 'tcp-loss',
    summary: `a stream where 1 % of frames are lost both ways, and a round trip takes 10 ms; ${LOSS_SEEDS.length} seeds, ${LOSS_SECONDS} s of virtual time each`,
    units: { 'Mbit/s': 'more' },
    note: 'goal: 12, with CUBIC, as Linux. Of virtual time: no machine is too slow for it, and each run gives the same. softnet: cubic; reno: the same with tcp_congestion_control=reno',
    subjects: [
      { name: SOFTNET, measure: () => mbps('cubic') },
      { name: 'reno', measure: () => mbps('reno') },
    ],
  };
}

/** TCP between two kernels. */
export function tcpSuite(): Suite {
  return {
    name: 'tcp',
    works: [
      bulk(1500, '6'),
      bulk(9000, '15'),
      race({
        name: 'tcp-rr',
        summary: 'an octet there, and one back, in a connection',
        ...{ unit: 'per second', goal: '300,000', each: 1e9, ours: roundTripLoop, node: nodeRoundTripLoop, gvisor: ['rr', 1500] },
      }),
      race({
        name: 'tcp-crr',
        summary: 'connect, an octet there and one back, close',
        ...{ unit: 'per second', goal: '50,000', each: 1e9, ours: connectionLoop, node: nodeConnectionLoop, gvisor: ['crr', 1500] },
      }),
      lossWork(),
    ],
  };
}
