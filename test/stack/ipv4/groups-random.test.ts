import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceTraffic, defineService, ETHERTYPE, GROUP_FILTER, Module, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import type { IgmpMessage, IgmpQuery } from '@softnet/ipv4';
import { emitIgmp, IGMP_TYPE, parseIgmp } from '@softnet/ipv4';
import { NetdevModule } from '@softnet/netdev';
import { WireModule } from '@softnet/nic-driver';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { KernelTimeModule, Net } from '@softnet/testkit';
import { emitEthernet, emitIpv4Packet, formatIpv4, ipv4Words, parseEthernet, parseIpv4Packet, routerAlertOption } from '@softnet/wire';
import { expect, test } from 'vitest';
import { addresses, bytes, G, ints, mreqn, set } from './group-values.ts';
import { IPV4_STACK, ipv4, word } from './raw-link.ts';

const { INET } = ADDRESS_FAMILY;
const HOSTS = 20;
const GROUPS = ['239.1.1.1', '239.1.1.2', '239.1.1.3', '232.1.1.1'];
const SOURCES = ['10.9.0.1', '10.9.0.2', '10.9.0.3'];
const ROUTER = '10.0.0.254';
const LOSS = 0.1;
const LITTLE = Object.freeze({ 'net.core.skb_buffers': 256, 'net.core.skb_pages': 16 });
const GENERAL: IgmpQuery = {
  ...{ type: IGMP_TYPE.QUERY, version: 3, group: ipv4Words(0), maxResponseDs: 20, suppress: false, robustness: 2, intervalS: 5 },
  sources: [],
};

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

/** A state of RFC 3376 §6.4, without its timers, of each host and group: what was said last is believed, and changes are followed. */
class Querier {
  readonly #states = new Map<string, { mode: string; sources: ReadonlySet<string> }>();
  readonly #hub: NetHost;

  constructor(hub: NetHost) {
    this.#hub = hub;
    hub.kernel.port(Hub).current.seen = (frame, ifindex) => this.#heard(frame, ifindex);
  }

  query(message: IgmpMessage): void {
    const packet = { protocol: 2, ttl: 1, src: ROUTER, dst: '224.0.0.1', options: [routerAlertOption()], payload: emitIgmp(message) };
    const payload = emitIpv4Packet(ipv4(packet));
    this.#flood(emitEthernet({ dst: '01:00:5e:00:00:01', src: '02:00:00:00:00:fe', tags: [], type: ETHERTYPE.IPV4, payload }), 0);
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
    if (type !== ETHERTYPE.IPV4) return;
    const packet = parseIpv4Packet(payload, 0, payload.length);
    if (typeof packet === 'string' || packet.protocol !== 2) return;
    const message = parseIgmp(packet.payload, 0, packet.payload.length);
    if (typeof message === 'string' || message.type !== IGMP_TYPE.REPORT_V3) throw new Error(`heard ${JSON.stringify(message)}`);
    for (const { type: record, group, sources } of message.records) {
      this.#note(`${packet.src} ${formatIpv4(group[3])}`, record, new Set(sources.map(([, , , source]) => formatIpv4(source))));
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

  /** 'exclude 10.9.0.1' by host and group; without those that nobody is in. */
  get view(): [string, string][] {
    const all = [...this.#states].filter(([, { mode, sources }]) => mode === 'exclude' || sources.size > 0);
    return all.map(([key, { mode, sources }]) => [key, [mode, ...[...sources].sort()].join(' ')] as [string, string]).sort();
  }

  forget(): void {
    this.#states.clear();
  }
}

/** What members want, by RFC 3376 §3.2 straight away. */
function wanted(host: string, users: readonly DatagramUser[]): [string, string][] {
  return GROUPS.flatMap((group) => {
    const members = users.flatMap((user) => (user.sock.options?.groups?.joined ?? []).filter((each) => each.group[3] === word(group)));
    const named = (filter: number) =>
      members.filter((each) => each.filter === filter).map((each) => each.sources.map(([, , , s]) => formatIpv4(s)));
    const [excludes, includes] = [named(GROUP_FILTER.EXCLUDE), named(GROUP_FILTER.INCLUDE).flat()];
    const all = SOURCES.filter((source) =>
      excludes.length === 0 ? includes.includes(source) : excludes.every((list) => list.includes(source)) && !includes.includes(source),
    );
    if (excludes.length === 0 && all.length === 0) return [];
    return [[`${host} ${group}`, [excludes.length === 0 ? 'include' : 'exclude', ...all].join(' ')] as [string, string]];
  });
}

/** What a program does to one of its groups, by chance. Answers do not matter: what it has then is the model. */
function act(user: DatagramUser, chance: (bound: number) => number, address: string): void {
  const group = GROUPS[chance(GROUPS.length)]!;
  const source = SOURCES[chance(SOURCES.length)]!;
  const some = SOURCES.filter(() => chance(2) === 0);
  const filter = bytes(addresses(group, address), ints(chance(2), some.length), addresses(...some));
  const moves: [number, Uint8Array][] = [
    [G.ADD_MEMBERSHIP, mreqn(group, 0, address)],
    [G.DROP_MEMBERSHIP, mreqn(group, 0, address)],
    [G.ADD_SOURCE_MEMBERSHIP, addresses(group, address, source)],
    [G.DROP_SOURCE_MEMBERSHIP, addresses(group, address, source)],
    [G.BLOCK_SOURCE, addresses(group, address, source)],
    [G.UNBLOCK_SOURCE, addresses(group, address, source)],
    [G.MSFILTER, filter],
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
  const net = new Net({ seed, modules: IPV4_STACK, kernel: { settings: LITTLE } });
  const hub = await new Net({ world: net.world, modules: [KernelTimeModule, SkbModule, NetdevModule, WireModule, HubModule] }).host('hub');
  net.hosts.push(hub);
  const chance = chanceOf(seed);
  const users: DatagramUser[][] = [];
  for (let i = 0; i < HOSTS; i++) {
    const host = await net.host(`h${i}`);
    await net.join({ host, device: 'eth0', addresses: [`10.0.0.${i + 1}/24`] }, { host: hub, device: `p${i}` });
    users.push([0, 1].map((n) => host.open({ name: `u${n}`, family: INET })));
  }
  const querier = new Querier(hub);
  const actAnywhere = (): void => {
    const at = chance(HOSTS);
    for (let n = chance(5); n >= 0; n--) act(users[at]![chance(2)]!, chance, `10.0.0.${at + 1}`);
  };
  const wants = (): [string, string][] => users.flatMap((each, i) => wanted(`10.0.0.${i + 1}`, each)).sort();
  for (const [i, cable] of net.cables.entries()) cable.set({ loss: LOSS, delayUs: 10 + i });
  for (let step = 0; step < 40; step++) {
    actAnywhere();
    if (step % 10 === 0) querier.query(GENERAL);
    if (step % 7 === 0) querier.query({ ...GENERAL, maxResponseDs: chance(30) });
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
  const drops = net.hosts.flatMap(({ kernel }) => kernel.dropReasons().filter(({ name, count }) => count > 0 && name.startsWith('igmp')));
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

test('twenty hosts on a lossy link: in the end the querier knows what the members want; the same seed gives the same run', async () => {
  const seed = 2026;
  const outcome = await run(seed);
  expect(outcome.wanted[0].length, `seed ${seed}`).toBeGreaterThan(20);
  expect([outcome.asked, outcome.told], `seed ${seed}`).toEqual(outcome.wanted);
  expect(outcome.drops, `seed ${seed}`).toEqual([]);
  expect(await run(seed), `seed ${seed}`).toEqual(outcome);
});
