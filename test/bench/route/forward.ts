import { ADDRESS_FAMILY, DeviceTraffic, IPV4_WORD2, ROUTE_TYPE, RouteTables } from '@softnet/contract';
import { BurstHost, FAR } from '../../stack/offload/burst-host.ts';
import { arrivalOf, shot } from '../../stack/offload/frames.ts';
import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Figures, Work } from '../work.ts';
import { linuxForwardLack, measureLinuxForward } from './forward-linux.ts';

/** What is forwarded. */
export interface ForwardLoad {
  /** Of the frame, with its link header and without FCS: 60 (the 64 bytes of all benches of routers) or 1,514. */
  readonly frameBytes: number;
  readonly flows: number;
  /** /24 prefixes from 11.0.0.0 on, which the flows are spread over. */
  readonly routes: number;
}

/** A poll's budget. */
const BATCH = 64;
const UDP_HEADERS_BYTES = 42;
const FIRST_PREFIX = 11 << 24;
const WARM_UP = 200_000;

/** The destination of a flow, of host byte order: as `forward-peer.c` says it. */
function destinationOf(flow: number, routes: number): number {
  return FIRST_PREFIX + (((flow * 7919) % routes) << 8) + 1;
}

/** Frames that a device has received in a poll of 64, forwarded, freed by the device that sends them; both are memory. */
async function forwardLoop({ frameBytes, flows, routes }: ForwardLoad): Promise<Loop> {
  const host = await BurstHost.boot({ gro: false });
  host.sent.out.keeps = false;
  fill(host, routes);
  const arrivals = Array.from({ length: Math.max(flows, BATCH) }, (_, i) => {
    const dst = dotted(destinationOf(i % flows, routes));
    return arrivalOf(shot({ dst, srcPort: 1024 + ((i % flows) % 50_000), lenBytes: frameBytes - UDP_HEADERS_BYTES, id: i & 0xffff }));
  });
  const batches = Array.from({ length: Math.floor(arrivals.length / BATCH) }, (_, i) => arrivals.slice(i * BATCH, (i + 1) * BATCH));
  let next = 0;
  const loop = (n: number): number => {
    const before = host.sent.out.count;
    for (let left = n; left > 0; left -= BATCH) {
      host.poll(batches[next]!);
      next = next + 1 === batches.length ? 0 : next + 1;
    }
    if (host.sent.out.count - before < n) throw new Error(`${host.sent.out.count - before} of ${n} packets were forwarded`);
    return host.sent.out.count;
  };
  loop(WARM_UP);
  return loop;
}

function fill({ kernel }: BurstHost, routes: number): void {
  const ifindex = kernel.port(DeviceTraffic).current.byName('eth1')!.ifindex;
  const [a, b, c, d] = FAR[0].split('.').map(Number) as [number, number, number, number];
  const gateway = { family: ADDRESS_FAMILY.INET, address: [0, 0, IPV4_WORD2, (a << 24) | (b << 16) | (c << 8) | d] as const };
  const edits = Array.from({ length: routes }, (_, i) => ({
    change: 'add' as const,
    entry: {
      family: ADDRESS_FAMILY.INET,
      prefix: [0, 0, IPV4_WORD2, FIRST_PREFIX + (i << 8)] as const,
      prefixLen: 24,
      type: ROUTE_TYPE.UNICAST,
      source: 4,
      nextHops: [{ ifindex, gateway }],
    },
  }));
  kernel.port(RouteTables).current.apply(edits);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function withRate({ ns }: Figures): Figures {
  return { ns: ns!, 'Mpackets/s': 1000 / ns! };
}

const LOADS: readonly ForwardLoad[] = [60, 1514].flatMap((frameBytes) => [
  { frameBytes, flows: 1, routes: 10 },
  { frameBytes, flows: 10_000, routes: 10 },
  { frameBytes, flows: 10_000, routes: 100_000 },
]);

const NOTE =
  'one core, time of CPU. softnet: a driver in memory copies each frame in, 64 a poll, and frees it when sent. linux: an AF_PACKET sender floods a veth, the host kernel ' +
  'forwards to another; sending, and receiving into the last veth, are in its figure, system calls for 64 frames each.';

/** Packets through a router. */
export function forwardWorks(): Work[] {
  const races = LOADS.map((load, i) => {
    const { frameBytes, flows, routes } = load;
    return {
      name: `forward-${frameBytes + 4}-${flows}-${routes}`,
      summary: `IPv4 from wire to wire: frames of ${frameBytes + 4} bytes, ${flows} flow(s), ${routes} routes`,
      units: { ns: 'less', 'Mpackets/s': 'more' },
      ...(i === 0 ? { note: NOTE } : {}),
      subjects: [
        { name: 'softnet', measure: async () => withRate(await nsOf(await forwardLoop(load))) },
        { name: 'linux', lack: linuxForwardLack, measure: async () => withRate(await measureLinuxForward(load)) },
      ],
    } satisfies Work;
  });
  return [
    ...races,
    {
      name: 'allocations-forward',
      summary: 'bytes that a forwarded packet allocates once warm',
      units: { 'B/op': 'less' },
      note: 'goal: 0',
      subjects: [{ name: 'softnet', measure: async () => ({ 'B/op': await bytesPerOperation(await forwardLoop(LOADS[2]!)) }) }],
    },
  ];
}
