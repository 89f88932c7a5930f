import { ADDRESS_FAMILY } from '@softnet/contract';
import { nodeLoop, wireLoop } from '../path/datagrams.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Figures, Suite, Work } from '../work.ts';
import { gvisorLack, gvisorNs } from './gvisor-peer.ts';

const FAMILY = Object.freeze({ 4: ADDRESS_FAMILY.INET, 6: ADDRESS_FAMILY.INET6 } as const);
const NOTE =
  "per second of CPU, all threads. node-dgram: Node's own sockets over the machine's loopback: it pays for system calls and crosses threads. gvisor: two of its stacks in one process, in " +
  'Go, with Ethernet, neighbours and checksums as softnet has them';

/** Per second of one core's time. */
async function perSecond(loop: Loop): Promise<Figures> {
  const { ns } = await nsOf(loop);
  return rateOf(ns!);
}

function rateOf(ns: number): Figures {
  return { 'datagrams/s': 1e9 / ns };
}

function work(version: 4 | 6, lenBytes: number): Work {
  const family = FAMILY[version];
  return {
    name: `${version === 4 ? 'udp' : 'udp6'}-${lenBytes}`,
    summary: `IPv${version}, datagrams of ${lenBytes} bytes from a socket of one kernel to one of another, over a wire in this process`,
    units: { 'datagrams/s': 'more' },
    note: NOTE,
    subjects: [
      { name: 'softnet', measure: async () => perSecond(await wireLoop(family, lenBytes)) },
      { name: 'node-dgram', measure: async () => perSecond(await nodeLoop(lenBytes, version)) },
      { name: 'gvisor', lack: gvisorLack, measure: () => rateOf(gvisorNs('udp', version, lenBytes)) },
    ],
  };
}

/** UDP between two kernels. */
export function udpSuite(): Suite {
  return { name: 'udp', works: [64, 1400].flatMap((lenBytes) => [work(4, lenBytes), work(6, lenBytes)]) };
}
