import { PrefixTable } from '@softnet/route';
import { cpuMs } from '../span.ts';
import type { Figures, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';
import type { PrefixList } from './internet-prefixes.ts';
import { addressesIn, internetPrefixes } from './internet-prefixes.ts';
import { lpmPeerLack, measureLpmPeer } from './lpm-peer.ts';
import { plainTrie, textsOf } from './plain-peer.ts';

const COUNTS = { 4: 1_000_000, 6: 200_000 } as const;
const SEED = 5;
const ADDRESSES = 1 << 20;
/** Of the plain trie, which is slow. */
const FEW = 1 << 15;
const FEW_PREFIXES = 100_000;
const WARM_MS = 300;
const SPAN_MS = 600;

type Family = 4 | 6;

interface Load {
  readonly list: PrefixList;
  readonly random: Int32Array;
  readonly skewed: Int32Array;
}

function loadOf(family: Family, addresses: number, prefixes: number = COUNTS[family]): Load {
  const list = internetPrefixes(family, prefixes, SEED);
  return { list, random: addressesIn(list, addresses, 'random', 7), skewed: addressesIn(list, addresses, 'skewed', 8) };
}

/** Millions a second, of CPU, of a walk through all addresses. */
function rateOf(count: number, walk: () => number): number {
  const until = cpuMs() + WARM_MS;
  while (cpuMs() < until) walk();
  const from = cpuMs();
  let walks = 0;
  let sum = 0;
  for (; cpuMs() - from < SPAN_MS; walks++) sum += walk();
  if (sum === 0) throw new Error('nothing was found');
  return (walks * count) / (cpuMs() - from) / 1000;
}

function figures(random: number, skewed: number, bytesPerPrefix: number): Figures {
  return { 'M/s random': random, 'M/s skewed': skewed, 'B/prefix': bytesPerPrefix };
}

function softnet(family: Family): Figures {
  const { list, random, skewed } = loadOf(family, ADDRESSES);
  const table = new PrefixTable(family === 6, SEED);
  const { words, lens, hops, count } = list;
  for (let i = 0; i < count; i++) {
    if (family === 4) table.set(words[i]!, 0, 0, 0, lens[i]!, hops[i]! + 1);
    else table.set(words[4 * i]!, words[4 * i + 1]!, 0, 0, lens[i]!, hops[i]! + 1);
  }
  const short = (addresses: Int32Array): number => {
    let sum = 0;
    for (let i = 0; i < addresses.length; i++) sum = (sum + table.first(addresses[i]!)) | 0;
    return sum;
  };
  const wide = (addresses: Int32Array): number => {
    let sum = 0;
    for (let i = 0; i < addresses.length; i += 4) {
      sum = (sum + table.firstWide(addresses[i]!, addresses[i + 1]!, addresses[i + 2]!, addresses[i + 3]!)) | 0;
    }
    return sum;
  };
  const walk = family === 4 ? short : wide;
  return figures(
    rateOf(ADDRESSES, () => walk(random)),
    rateOf(ADDRESSES, () => walk(skewed)),
    table.lookupBytes / count,
  );
}

function plain(family: Family): Figures {
  const { list, random, skewed } = loadOf(family, FEW, FEW_PREFIXES);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const trie = plainTrie();
  const texts = textsOf(list, list.words);
  for (let i = 0; i < list.count; i++) trie.addPrefix(`${texts[i]}/${list.lens[i]}`, list.hops[i]! + 1);
  texts.length = 0;
  globalThis.gc?.();
  const bytes = process.memoryUsage().heapUsed - before;
  const walk = (addresses: readonly string[]): number => {
    let sum = 0;
    for (const address of addresses) sum += trie.getMatch(address)[0] ?? 0;
    return sum;
  };
  const whole = (addresses: Int32Array): string[] => textsOf(list, addresses).map((text) => `${text}/${family === 4 ? 32 : 128}`);
  const [randoms, skews] = [whole(random), whole(skewed)];
  return figures(
    rateOf(FEW, () => walk(randoms)),
    rateOf(FEW, () => walk(skews)),
    bytes / list.count,
  );
}

function dpdk(family: Family): Figures {
  const { list, random, skewed } = loadOf(family, ADDRESSES);
  const peer = measureLpmPeer(list, random, skewed);
  return figures(peer.random, peer.skewed, peer.bytes / list.count);
}

const NOTE =
  'random: each prefix as likely as the others; skewed: by Zipf’s law. B/prefix of softnet is of what lookups read; of the others all they have. dpdk: rte_fib, 64 addresses a ' +
  'call, in C; plain-js: longest-prefix-match from npm, of 100,000 prefixes only, and addresses are texts. Goal of v4: 20 M/s random, 24 B/prefix.';

export function lookupWorks(): Work[] {
  return ([4, 6] as const).map((family) => ({
    name: `route-lookup-v${family}`,
    summary: `longest prefixes of addresses, ${COUNTS[family].toLocaleString('en-US')} IPv${family} prefixes as the Internet has them`,
    units: { 'M/s random': 'more', 'M/s skewed': 'more', 'B/prefix': 'less' },
    note: NOTE,
    subjects: [
      { name: SOFTNET, measure: () => softnet(family) },
      { name: 'dpdk', lack: lpmPeerLack, measure: () => dpdk(family) },
      { name: 'plain-js', measure: () => plain(family) },
    ],
  }));
}
