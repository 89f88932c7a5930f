import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceTraffic, defineService, ETHERTYPE, GROUP_FILTER, Module, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import type { MldMessage, MldQuery } from '@softnet/ipv6';
import { emitMld, parseMld } from '@softnet/ipv6';
import { NetdevModule } from '@softnet/netdev';
import { WireModule } from '@softnet/nic-driver';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { HOST_STACK, KernelTimeModule, Net } from '@softnet/testkit';
import { emitEthernet, emitIpv6Packet, formatIpv6, parseEthernet, parseIpv6Packet, pseudoHeaderSum } from '@softnet/wire';
import { expect, test } from 'vitest';
import { bytes, G, groupReq, ints, mreq, set, sockaddr, source } from './group-values.ts';
import { ALERT, query, REPORTS, words } from './mld-link.ts';
import { packetOf } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
const HOSTS = 6;
const GROUPS = ['ff05::1', 'ff05::1:0:1', 'ff0e::1', 'ff35::1'];
const SOURCES = ['fd09::1', 'fd09::2', 'fd09::3'];
const ROUTER = 'fe80::fe';
const LOSS = 0.1;
const SETTINGS = Object.freeze({ 'net.core.skb_buffers': 256, 'net.core.skb_pages': 16, ...REPORTS });
const GENERAL: MldQuery = query('::', { maxResponseMs: 2000, intervalS: 5 });

interface Hub {
  seen: (frame: Uint8Array, ifindex: number) => void;
}
const Hub = defineService<Hub>({ name: 'test-hub', version: '1.0.0' });

/** Sees each frame of each device. */
@Module({ name: 'test-hub', version: '1.0.0', provides: [Hub, Tap] })
class HubModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const hub: Hub = { seen: () => {} };
    const reader = new SkbReader();
    ctx.corridor(Hub, hub);
    const tap = (skb: Skb): void => {
      if (skb.type === SKB_TYPE.OUTGOING) return;
      const header = skb.data - skb.mac;
      const frame = new Uint8Array(header + skb.len);
      frame.set(skb.memory.bytes.subarray(skb.mac, skb.data));
      if (reader.open(skb)) reader.copyOut(frame, header);
      hub.seen(frame, skb.ifindex);
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** A state of RFC 3810 §7.4, without its timers, of each host and group: what was said last is believed, and changes are followed. */
class Querier {
  readonly #states = new Map<string, { mode: string; sources: ReadonlySet<string> }>();
  readonly #hub: NetHost;

  constructor(hub: NetHost) {
    this.#hub = hub;
    hub.kernel.port(Hub).current.seen = (frame, ifindex) => this.#heard(frame, ifindex);
  }

  query(message: MldMessage): void {
    const dst = 'ff02::1';
    const payload = emitMld(message, (lenBytes) => pseudoHeaderSum(...words(ROUTER), ...words(dst), 58, lenBytes));
    const packet = emitIpv6Packet(packetOf({ protocol: 58, hopLimit: 1, src: ROUTER, dst, headers: ALERT, payload }));
    this.#flood(emitEthernet({ dst: '33:33:00:00:00:01', src: '02:00:00:00:00:fe', tags: [], type: ETHERTYPE.IPV6, payload: packet }), 0);
  }

  /** A link is a medium: each host hears the others. */
  #flood(frame: Uint8Array, from: number): void {
    const { kernel, devices } = this.#hub;
    for (const device of devices) {
      if (device.ifindex === from) continue;
      const skb = kernel.port(SkbPool).current.alloc(64, frame.length)!;
      copyIn(skb, frame);
      skb.mac = skb.data;
      kernel.port(DeviceTraffic).current.transmit(device, skb);
    }
  }

  #heard(frame: Uint8Array, ifindex: number): void {
    this.#flood(frame, ifindex);
    const { payload, type } = parseEthernet(frame, 0, frame.length) as Exclude<ReturnType<typeof parseEthernet>, string>;
    if (type !== ETHERTYPE.IPV6) return;
    const packet = parseIpv6Packet(payload, 0, payload.length);
    if (typeof packet === 'string' || packet.protocol !== 58 || packet.payload[0]! !== 143 || packet.src === '::') return;
    const message = parseMld(packet.payload, 0, packet.payload.length);
    if (typeof message === 'string' || message.type !== 143) throw new Error(`heard ${JSON.stringify(message)}`);
    for (const { type: record, group, sources } of message.records) {
      const text = formatIpv6(...group);
      if (GROUPS.includes(text)) this.#note(`${ifindex} ${text}`, record, new Set(sources.map((each) => formatIpv6(...each))));
    }
  }

  #note(key: string, record: number, said: ReadonlySet<string>): void {
    const { mode, sources } = this.#states.get(key) ?? { mode: 'include', sources: new Set<string>() };
    // 1 and 3: IS_IN, TO_IN; 2 and 4: IS_EX, TO_EX; 5 and 6: ALLOW, BLOCK.
    if (record <= 4) this.#states.set(key, { mode: record % 2 === 1 ? 'include' : 'exclude', sources: said });
    else {
      const adds = (record === 5) === (mode === 'include');
      this.#states.set(key, { mode, sources: new Set(adds ? [...sources, ...said] : [...sources].filter((each) => !said.has(each))) });
    }
  }

  /** 'exclude fd09::1' by host and group; without those that nobody is in. */
  get view(): [string, string][] {
    const all = [...this.#states].filter(([, { mode, sources }]) => mode === 'exclude' || sources.size > 0);
    return all.map(([key, { mode, sources }]) => [key, [mode, ...[...sources].sort()].join(' ')] as [string, string]).sort();
  }

  forget(): void {
    this.#states.clear();
  }
}

/** What members want, by RFC 3810 §4.2 straight away. */
function wanted(port: number, users: readonly DatagramUser[]): [string, string][] {
  return GROUPS.flatMap((group) => {
    const members = users.flatMap((user) =>
      (user.sock.options?.groups?.joined ?? []).filter((each) => formatIpv6(...each.group) === group),
    );
    const named = (filter: number) =>
      members.filter((each) => each.filter === filter).map((each) => each.sources.map((from) => formatIpv6(...from)));
    const [excludes, includes] = [named(GROUP_FILTER.EXCLUDE), named(GROUP_FILTER.INCLUDE).flat()];
    const all = SOURCES.filter((from) =>
      excludes.length === 0 ? includes.includes(from) : excludes.every((list) => list.includes(from)) && !includes.includes(from),
    );
    if (excludes.length === 0 && all.length === 0) return [];
    return [[`${port} ${group}`, [excludes.length === 0 ? 'include' : 'exclude', ...all].join(' ')] as [string, string]];
  });
}

/** What a program does to one of its groups, by chance. Answers do not matter: what it has then is the model. */
function act(user: DatagramUser, chance: (bound: number) => number, ifindex: number): void {
  const group = GROUPS[chance(GROUPS.length)]!;
  const from = SOURCES[chance(SOURCES.length)]!;
  const some = SOURCES.filter(() => chance(2) === 0);
  const filter = bytes(groupReq(ifindex, sockaddr(group)), ints(chance(2), some.length), ...some.map((each) => sockaddr(each)));
  const moves: [number, Uint8Array][] = [
    [G.JOIN_GROUP, mreq(group, ifindex)],
    [G.LEAVE_GROUP, mreq(group, ifindex)],
    source(G.MCAST_JOIN_SOURCE_GROUP, group, from, ifindex),
    source(G.MCAST_LEAVE_SOURCE_GROUP, group, from, ifindex),
    source(G.MCAST_BLOCK_SOURCE, group, from, ifindex),
    source(G.MCAST_UNBLOCK_SOURCE, group, from, ifindex),
    [G.MCAST_MSFILTER, filter],
  ];
  set(user, ...moves[chance(moves.length)]!);
}

interface Outcome {
  /** What the querier knows: asked when it is quiet, then told of changes only. */
  readonly asked: [string, string][];
  readonly told: [string, string][];
  readonly wanted: [[string, string][], [string, string][]];
  readonly frames: number;
  readonly drops: readonly string[];
}

async function run(seed: number): Promise<Outcome> {
  const modules = HOST_STACK.filter((each) => !String(each).includes('Ipv4Module'));
  const net = new Net({ seed, modules, kernel: { settings: SETTINGS } });
  const hub = await new Net({ world: net.world, modules: [KernelTimeModule, SkbModule, NetdevModule, WireModule, HubModule] }).host('hub');
  net.hosts.push(hub);
  const chance = chanceOf(seed);
  const users: DatagramUser[][] = [];
  for (let i = 0; i < HOSTS; i++) {
    const host = await net.host(`h${i}`);
    await net.join({ host, device: 'eth0' }, { host: hub, device: `p${i}` });
    users.push([0, 1].map((n) => host.open({ name: `u${n}`, family: INET6 })));
  }
  const querier = new Querier(hub);
  const ports = hub.devices.filter(({ name }) => name.startsWith('p')).map(({ ifindex }) => ifindex);
  const eth0 = net.hosts.filter((host) => host !== hub).map((host) => host.device('eth0').ifindex);
  const actAnywhere = (): void => {
    const at = chance(HOSTS);
    for (let n = chance(5); n >= 0; n--) act(users[at]![chance(2)]!, chance, eth0[at]!);
  };
  const wants = (): [string, string][] => users.flatMap((each, i) => wanted(ports[i]!, each)).sort();
  for (const [i, cable] of net.cables.entries()) cable.set({ loss: LOSS, delayUs: 10 + i });
  for (let step = 0; step < 40; step++) {
    actAnywhere();
    if (step % 10 === 0) querier.query(GENERAL);
    if (step % 7 === 0) querier.query({ ...GENERAL, maxResponseMs: chance(3000) });
    await net.pass(chance(700));
  }
  for (const cable of net.cables) cable.set({ loss: 0 });
  await net.pass(5000);
  querier.forget();
  querier.query(GENERAL);
  await net.pass(5000);
  const [asked, then] = [querier.view, wants()];
  for (let step = 0; step < 40; step++) {
    actAnywhere();
    await net.pass(chance(400));
  }
  await net.pass(5000);
  const [told, now] = [querier.view, wants()];
  const frames = net.cables.reduce((sum, cable) => sum + cable.counts(0).frames + cable.counts(1).frames, 0);
  const drops = net.hosts.flatMap(({ kernel }) => kernel.dropReasons().filter(({ name, count }) => count > 0 && name.startsWith('mld')));
  await net.dispose();
  return { asked, told, wanted: [then, now], frames, drops: [...new Set(drops.map(({ name }) => name))] };
}

function chanceOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % bound;
  };
}

test('six hosts on a lossy link: in the end the querier knows what the members want; the same seed gives the same run', async () => {
  const seed = 2026;
  const outcome = await run(seed);
  expect(outcome.wanted[0].length, `seed ${seed}`).toBeGreaterThan(6);
  expect([outcome.asked, outcome.told], `seed ${seed}`).toEqual(outcome.wanted);
  expect(outcome.drops, `seed ${seed}`).toEqual([]);
  expect(await run(seed), `seed ${seed}`).toEqual(outcome);
});
