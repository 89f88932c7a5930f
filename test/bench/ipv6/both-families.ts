import { ADDRESS_FAMILY, Flow, IP_PROTOCOL, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import { emitEthernet, emitIcmpv4, emitIcmpv6, emitIpv4Packet, emitIpv6Packet, parseAddress, pseudoHeaderSum } from '@softnet/wire';
import type { Arrival } from '../../stack/offload/burst-host.ts';
import { BurstHost, FAR, NEAR, OUR_MAC, PEER_MAC } from '../../stack/offload/burst-host.ts';
import { arrivalOf, shot } from '../../stack/offload/frames.ts';
import type { Loop } from '../span.ts';

export type Family = 4 | 6;

/** A poll's budget. */
const BATCH = 64;
const WARM_UP = 200_000;
const ROUTES = 1000;
const ECHO_BYTES = 56;

/** So many /24, or /48, by the same gateway. */
function prefixOf(family: Family, index: number): readonly [number, number, number, number] {
  return family === 4 ? [0, 0, 0xffff, (11 << 24) + (index << 8)] : [0x20010db8, index << 16, 0, 0];
}

function destinationOf(family: Family, index: number): string {
  return family === 4 ? `11.${index >>> 8}.${index & 255}.1` : `2001:db8:${index.toString(16)}::1`;
}

async function router(family: Family): Promise<BurstHost> {
  const host = await BurstHost.boot({ gro: false });
  host.sent.in.keeps = false;
  host.sent.out.keeps = false;
  addRoutes(host, family);
  return host;
}

function addRoutes(host: BurstHost, family: Family): void {
  const gateway = { family: familyOf(family), address: parseAddress(FAR[family === 4 ? 0 : 2])!.words };
  const edits = Array.from({ length: ROUTES }, (_, i) => ({
    change: 'add' as const,
    entry: {
      family: familyOf(family),
      prefix: prefixOf(family, i),
      prefixLen: family === 4 ? 24 : 48,
      type: ROUTE_TYPE.UNICAST,
      source: 4,
      nextHops: [{ ifindex: host.out.ifindex, gateway }],
    },
  }));
  host.kernel.port(RouteTables).current.apply(edits);
}

function familyOf(family: Family): number {
  return family === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
}

/** Frames in batches, and what the device sends for each. */
function polling(host: BurstHost, arrivals: readonly Arrival[], sent: { readonly count: number }): Loop {
  const loop = (n: number): number => {
    const before = sent.count;
    for (let left = n; left > 0; left -= BATCH) host.poll(arrivals);
    if (sent.count - before < n) throw new Error(`${sent.count - before} of ${n} packets left`);
    return sent.count;
  };
  loop(WARM_UP);
  return loop;
}

/** Datagrams of {@link BATCH} flows, each by a route of its own, forwarded to a gateway. */
export async function forwardLoop(family: Family, lenBytes: number): Promise<Loop> {
  const host = await router(family);
  return polling(host, arrivalsOf(family, lenBytes), host.sent.out);
}

function arrivalsOf(family: Family, lenBytes: number): readonly Arrival[] {
  const src = NEAR[family === 4 ? 0 : 1];
  return Array.from({ length: BATCH }, (_, i) =>
    arrivalOf(shot({ src, dst: destinationOf(family, (i * 37) % ROUTES), srcPort: 4000 + i, lenBytes })),
  );
}

/** Datagrams of both families in turn; a packet of either counts. */
export async function mixedLoop(lenBytes: number): Promise<Loop> {
  const host = await router(4);
  addRoutes(host, 6);
  const batches = ([4, 6] as const).map((family) => arrivalsOf(family, lenBytes));
  const loop = (n: number): number => {
    for (let left = n, i = 0; left > 0; left -= BATCH, i ^= 1) host.poll(batches[i]!);
    return host.sent.out.count;
  };
  loop(2 * WARM_UP);
  return loop;
}

/** Echo requests of 56 bytes, answered. */
export async function echoLoop(family: Family): Promise<Loop> {
  const host = await router(family);
  const payload = new Uint8Array(ECHO_BYTES).fill(7);
  const [src, dst] = family === 4 ? [NEAR[0], '10.0.1.1'] : [NEAR[1], 'fd00:1::1'];
  const packet = family === 4 ? echo4(src, dst, payload) : echo6(src, dst, payload);
  const bytes = emitEthernet({ dst: OUR_MAC, src: PEER_MAC, tags: [], type: family === 4 ? 0x0800 : 0x86dd, payload: packet });
  return polling(host, new Array<Arrival>(BATCH).fill({ bytes }), host.sent.in);
}

function echo4(src: string, dst: string, payload: Uint8Array): Uint8Array {
  const head = { tos: 0, id: 0, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64, options: [] };
  return emitIpv4Packet({ ...head, protocol: 1, src, dst, payload: emitIcmpv4({ type: 8, code: 0, rest: 1, payload }) });
}

function echo6(src: string, dst: string, payload: Uint8Array): Uint8Array {
  const pseudo = pseudoHeaderSum(...parseAddress(src)!.words, ...parseAddress(dst)!.words, 58, 8 + payload.length);
  const message = emitIcmpv6({ type: 128, code: 0, rest: 1, payload }, pseudo);
  return emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 64, src, dst, headers: [], protocol: 58, payload: message });
}

/** `Route.lookup` of flows that each have a route of their own. */
export async function lookupLoop(family: Family): Promise<Loop> {
  const host = await router(family);
  const route = host.kernel.port(Route).current;
  const flow = new Flow();
  const prefixes = Array.from({ length: ROUTES }, (_, i) => prefixOf(family, (i * 37) % ROUTES));
  const [src0, src1, src2, src3] = parseAddress(family === 4 ? '10.0.1.1' : 'fd00:1::1')!.words;
  const loop = (n: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const prefix = prefixes[i % ROUTES]!;
      flow.family = familyOf(family);
      flow.protocol = IP_PROTOCOL.UDP;
      flow.src0 = src0;
      flow.src1 = src1;
      flow.src2 = src2;
      flow.src3 = src3;
      flow.dst0 = prefix[0];
      flow.dst1 = prefix[1];
      flow.dst2 = prefix[2];
      flow.dst3 = prefix[3] + 1;
      flow.oif = 0;
      const dst = route.lookup(flow);
      if (dst.error !== 0) throw new Error('no route');
      sum += dst.mtuBytes;
    }
    return sum;
  };
  loop(WARM_UP);
  return loop;
}
