import type { AddressWords, RouteEdit } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceTraffic, IPV4_WORD2, ROUTE_TYPE, RouteTables } from '@softnet/contract';
import { BurstHost, FAR } from '../../stack/offload/burst-host.ts';
import { cpuMs } from '../span.ts';
import type { Figures, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';
import { addressesIn, internetPrefixes, NEXT_HOPS } from './internet-prefixes.ts';
import { lpmPeerLack, measureLpmPeer } from './lpm-peer.ts';
import { plainTrie, textsOf } from './plain-peer.ts';

const COUNT = 1_000_000;
const SEED = 5;
const UPDATES = 20_000;
/** Of the plain trie, which is slow: its seconds are those of ten times as many. */
const FEW = COUNT / 10;

/** Through the door of a kernel: all routes in one version, then one by one to other next hops. */
async function softnet(): Promise<Figures> {
  const { kernel } = await BurstHost.boot({ gro: false });
  const ifindex = kernel.port(DeviceTraffic).current.byName('eth1')!.ifindex;
  const tables = kernel.port(RouteTables).current;
  const list = internetPrefixes(4, COUNT, SEED);
  const [a, b, c, d] = FAR[0].split('.').map(Number) as [number, number, number, number];
  const gateway: AddressWords = [0, 0, IPV4_WORD2, (a << 24) | (b << 16) | (c << 8) | d];
  const ways = Array.from({ length: NEXT_HOPS }, (_, i) => [
    { ifindex, gateway: { family: ADDRESS_FAMILY.INET, address: gateway }, weight: 1 + i },
  ]);
  const editOf = (change: RouteEdit['change'], i: number, hop: number): RouteEdit => ({
    change,
    entry: {
      family: ADDRESS_FAMILY.INET,
      prefix: [0, 0, IPV4_WORD2, list.words[i]!],
      prefixLen: list.lens[i]!,
      type: ROUTE_TYPE.UNICAST,
      source: 186,
      nextHops: ways[hop]!,
    },
  });
  const edits = Array.from({ length: COUNT }, (_, i) => editOf('add', i, list.hops[i]!));
  const before = keptBytes();
  const from = cpuMs();
  tables.apply(edits);
  const loadSeconds = (cpuMs() - from) / 1000;
  const bytes = keptBytes() - before;
  const updates = Array.from({ length: UPDATES }, (_, i) => [editOf('replace', i, (list.hops[i]! + 7) % NEXT_HOPS)]);
  const fromMs = cpuMs();
  for (const update of updates) tables.apply(update);
  return figures(loadSeconds, (UPDATES * 1000) / (cpuMs() - fromMs), bytes);
}

function plain(): Figures {
  const list = internetPrefixes(4, FEW, SEED);
  const texts = textsOf(list, list.words).map((text, i) => `${text}/${list.lens[i]}`);
  const before = keptBytes();
  const trie = plainTrie();
  const from = cpuMs();
  for (let i = 0; i < FEW; i++) trie.addPrefix(texts[i]!, list.hops[i]!);
  const loadSeconds = (cpuMs() - from) / 100;
  const bytes = (keptBytes() - before) * 10;
  const fromMs = cpuMs();
  for (let i = 0; i < UPDATES; i++) trie.addPrefix(texts[i]!, list.hops[i]! + 7);
  return figures(loadSeconds, (UPDATES * 1000) / (cpuMs() - fromMs), bytes);
}

function dpdk(): Figures {
  const list = internetPrefixes(4, COUNT, SEED);
  const peer = measureLpmPeer(list, addressesIn(list, 1 << 12, 'random', 7), addressesIn(list, 1 << 12, 'skewed', 8));
  return figures(peer.loadSeconds, peer.updatesPerSecond, peer.bytes);
}

function figures(loadSeconds: number, updatesPerSecond: number, bytes: number): Figures {
  return { 's load': loadSeconds, 'updates/s': updatesPerSecond, 'B/route': bytes / COUNT };
}

function keptBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A million routes. */
export function loadWork(): Work {
  return {
    name: 'route-load',
    summary: '1,000,000 IPv4 routes in one change, then changes one by one; what they take',
    units: { 's load': 'less', 'updates/s': 'more', 'B/route': 'less' },
    note: 'time of CPU, collecting garbage too. softnet through RouteTables.apply of a kernel: routes are checked, journalled, published; B/route is all that is kept; plain-js: 100,000 routes, times ten. Goal: 1.5 s.',
    subjects: [
      { name: SOFTNET, measure: softnet },
      { name: 'dpdk', lack: lpmPeerLack, measure: dpdk },
      { name: 'plain-js', measure: plain },
    ],
  };
}
