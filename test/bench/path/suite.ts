import { ADDRESS_FAMILY, DEVICE_FEATURE } from '@softnet/contract';
import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Suite, Work } from '../work.ts';
import { loopbackLoop, nodeLoop, wireLoop } from './datagrams.ts';
import type { Receiver } from './merged.ts';
import { mergedLoop } from './merged.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const CUTS_ITSELF = DEVICE_FEATURE.GSO_UDP | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.SCATTER;
const NOTE =
  "node-dgram: Node's own sockets over the machine's loopback, in batches of 32 too: it pays for system calls and crosses threads.";

function race(name: string, summary: string, ours: () => Promise<Loop>, lenBytes: number): Work {
  return {
    name: `path-${name}-${lenBytes}`,
    summary: `${summary}, a datagram of ${lenBytes} bytes`,
    units: { ns: 'less' },
    note: NOTE,
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await ours()) },
      { name: 'node-dgram', measure: async () => nsOf(await nodeLoop(lenBytes)) },
    ],
  };
}

/** Frames of a flow that are merged on their way, beside the same that are not. */
function merging(name: string, summary: string, receiver: Receiver, features = 0): Work {
  return {
    name: `path-merged-${name}`,
    summary: `a frame of 1400 bytes in a batch of 64 of its flow: ${summary}`,
    units: { ns: 'less' },
    note: 'softnet: GRO is on (net.udp.gro 2, where nothing else is said); one-by-one: it is off',
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await mergedLoop(receiver, true, features)) },
      { name: 'one-by-one', measure: async () => nsOf(await mergedLoop(receiver, false, features)) },
    ],
  };
}

function quiet(name: string, ours: () => Promise<Loop>): Work {
  return {
    name: `allocations-path-${name}`,
    summary: `bytes that a datagram of path-${name} allocates once warm`,
    units: { 'B/op': 'less' },
    note: 'goal: 0',
    subjects: [{ name: 'softnet', measure: async () => ({ 'B/op': await bytesPerOperation(await ours()) }) }],
  };
}

/** UDP from socket to socket. */
export function pathSuite(): Suite {
  return {
    name: 'path',
    works: [
      ...[64, 1400].flatMap((lenBytes) => [
        race('loopback', 'IPv4, from socket to socket within a host', () => loopbackLoop(INET, lenBytes), lenBytes),
        race('loopback6', 'IPv6, from socket to socket within a host', () => loopbackLoop(INET6, lenBytes), lenBytes),
        race('wire', 'IPv4, over a wire between two hosts', () => wireLoop(INET, lenBytes), lenBytes),
        race('wire6', 'IPv6, over a wire between two hosts', () => wireLoop(INET6, lenBytes), lenBytes),
      ]),
      merging('forward', 'forwarded, and cut again', 'forward'),
      merging('forward-offload', 'forwarded by a device that cuts for itself', 'forward', CUTS_ITSELF),
      merging('socket', 'into a socket, one by one', 'socket'),
      merging('socket-whole', 'into a socket, as they come (UDP_GRO)', 'socket-whole'),
      merging(
        'socket-beside',
        'into a socket that has not asked for merged ones, while another has: nothing is merged (net.udp.gro 1)',
        'socket-beside',
      ),
      quiet('loopback', () => loopbackLoop(INET, 1400)),
      quiet('loopback6', () => loopbackLoop(INET6, 1400)),
      quiet('wire', () => wireLoop(INET, 1400)),
      quiet('wire6', () => wireLoop(INET6, 1400)),
    ],
  };
}
