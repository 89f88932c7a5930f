import { ADDRESS_FAMILY } from '@softnet/contract';
import { nodeLoop, wireLoop } from '../path/datagrams.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Figures, Suite, Work } from '../work.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const NO_GVISOR = 'its program is not written yet: two of its stacks in one process, in Go (Debian: golang, golang-gvisor-gvisor-dev)';

/** Per second of one core's time. */
async function perSecond(loop: Loop): Promise<Figures> {
  const { ns } = await nsOf(loop);
  return { 'datagrams/s': 1e9 / ns! };
}

function work(name: string, family: number, lenBytes: number): Work {
  return {
    name: `${name}-${lenBytes}`,
    summary: `datagrams of ${lenBytes} bytes from a socket of one kernel to one of another, over a wire in this process`,
    units: { 'datagrams/s': 'more' },
    note: "per second of CPU; node-dgram: Node's own sockets over the machine's loopback: it pays for system calls and crosses threads",
    subjects: [
      { name: 'softnet', measure: async () => perSecond(await wireLoop(family, lenBytes)) },
      { name: 'node-dgram', measure: async () => perSecond(await nodeLoop(lenBytes)) },
      {
        name: 'gvisor',
        lack: () => NO_GVISOR,
        measure: () => {
          throw new Error(NO_GVISOR);
        },
      },
    ],
  };
}

/** UDP between two kernels. */
export function udpSuite(): Suite {
  return {
    name: 'udp',
    works: [64, 1400].flatMap((lenBytes) => [work('udp', INET, lenBytes), work('udp6', INET6, lenBytes)]),
  };
}
