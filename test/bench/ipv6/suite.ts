import { ADDRESS_FAMILY } from '@softnet/contract';
import { bytesPerOperation } from '../heap.ts';
import { loopbackLoop, wireLoop } from '../path/datagrams.ts';
import { mergedLoop } from '../path/merged.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Suite, Work } from '../work.ts';
import type { Family } from './both-families.ts';
import { echoLoop, forwardLoop, lookupLoop, mixedLoop } from './both-families.ts';

const MERGED = Object.freeze({
  forward: 'forwarded, and cut again',
  socket: 'into a socket, one by one',
  'socket-whole': 'into a socket, as they come',
});

type MakeLoop = (family: Family) => Promise<Loop>;

/** IPv6 beside IPv4, in one run. */
function race(name: string, summary: string, make: MakeLoop): Work {
  return {
    name: `ipv6-${name}`,
    summary,
    units: { ns: 'less' },
    note: 'softnet: IPv6, ipv4: the same by IPv4; goal 1.3 or less',
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await make(6)) },
      { name: 'ipv4', measure: async () => nsOf(await make(4)) },
    ],
  };
}

function quiet(name: string, make: MakeLoop): Work {
  return {
    name: `allocations-ipv6-${name}`,
    summary: `bytes that ipv6-${name} allocates once warm`,
    units: { 'B/op': 'less' },
    note: 'goal: 0',
    subjects: [{ name: 'softnet', measure: async () => ({ 'B/op': await bytesPerOperation(await make(6)) }) }],
  };
}

function number(family: Family): number {
  return family === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
}

/** IPv6's way beside IPv4's. */
export function ipv6Suite(): Suite {
  return {
    name: 'ipv6',
    works: [
      ...[64, 1400].flatMap((lenBytes) => [
        race(`loopback-${lenBytes}`, `a datagram of ${lenBytes} bytes within a host`, (family) => loopbackLoop(number(family), lenBytes)),
        race(`wire-${lenBytes}`, `a datagram of ${lenBytes} bytes over a wire`, (family) => wireLoop(number(family), lenBytes)),
      ]),
      race('forward-64', 'a datagram of 64 bytes forwarded to a gateway, 1,000 routes', (family) => forwardLoop(family, 64)),
      race('forward-1400', 'the same of 1,400', (family) => forwardLoop(family, 1400)),
      race('mixed-64', 'a datagram of 64 bytes forwarded, of both families in turn', (family) =>
        family === 6 ? mixedLoop(64) : forwardLoop(4, 64),
      ),
      ...(['forward', 'socket', 'socket-whole'] as const).map((receiver) =>
        race(`merged-${receiver}`, `a frame of 1400 bytes in a batch of its flow, merged: ${MERGED[receiver]}`, (family) =>
          mergedLoop(receiver, true, 0, number(family)),
        ),
      ),
      race('echo', 'an echo request of 56 bytes answered', echoLoop),
      race('lookup', 'a route found among 1,000', lookupLoop),
      quiet('forward-64', (family) => forwardLoop(family, 64)),
      quiet('echo', echoLoop),
    ],
  };
}
