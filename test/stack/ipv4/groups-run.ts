import type { AddressWords } from '@softnet/contract';
import { GROUP_FILTER } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { DatagramUser, NetOptions } from '@softnet/testkit';
import { KernelTimeModule, Net } from '@softnet/testkit';
import { chanceOf } from './chance-of.ts';
import type { GroupReport } from './group-querier.ts';
import { GroupQuerier, HubModule } from './group-querier.ts';

const LOSS = 0.1;
const LITTLE = Object.freeze({ 'net.core.skb_buffers': 256, 'net.core.skb_pages': 16 });

/** A host of the run. */
interface Place {
  /** From 0. */
  readonly at: number;
  /** Of its eth0, and of the hub's device there. */
  readonly ifindex: number;
  readonly hubIfindex: number;
}

/** What a program may ask for. */
interface Wish {
  readonly group: string;
  readonly source: string;
  /** Of a whole filter. */
  readonly filter: number;
  readonly sources: readonly string[];
}

/** IPv4 or IPv6, as far as a run differs by it. */
export interface GroupFamily {
  readonly family: number;
  readonly hosts: number;
  readonly groups: readonly string[];
  readonly sources: readonly string[];
  readonly modules: NonNullable<NetOptions['modules']>;
  readonly settings?: Readonly<Record<string, boolean>>;
  /** How the names of drops begin of which there must be none. */
  readonly drops: string;
  /** Of a host's eth0; none: it has its own. */
  addresses(at: number): readonly string[];
  format(address: AddressWords): string;
  /** A general query, as a frame. */
  query(maxResponseMs: number): Uint8Array;
  /** null: it is no report. @throws when it is one as no host should send it */
  reportOf(frame: Uint8Array, ifindex: number): GroupReport | null;
  /** As {@link GroupReport.who} says it. */
  who(place: Place): string;
  set(user: DatagramUser, name: number, value: Uint8Array): number;
  /** Options that a program may set. */
  moves(place: Place, wish: Wish): readonly (readonly [name: number, value: Uint8Array])[];
}

/** What members want, by RFC 3376 §3.2 and RFC 3810 §4.2 straight away. */
function wanted(family: GroupFamily, who: string, users: readonly DatagramUser[]): [string, string][] {
  return family.groups.flatMap((group) => {
    const members = users.flatMap((user) =>
      (user.sock.options?.groups?.joined ?? []).filter((each) => family.format(each.group) === group),
    );
    const named = (filter: number) => members.filter((each) => each.filter === filter).map((each) => each.sources.map(family.format));
    const [excludes, includes] = [named(GROUP_FILTER.EXCLUDE), named(GROUP_FILTER.INCLUDE).flat()];
    const all = family.sources.filter((source) =>
      excludes.length === 0 ? includes.includes(source) : excludes.every((list) => list.includes(source)) && !includes.includes(source),
    );
    if (excludes.length === 0 && all.length === 0) return [];
    return [[`${who} ${group}`, [excludes.length === 0 ? 'include' : 'exclude', ...all].join(' ')] as [string, string]];
  });
}

/** What a program does to one of its groups, by chance. Answers do not matter: what it has then is the model. */
function act(family: GroupFamily, user: DatagramUser, chance: (bound: number) => number, place: Place): void {
  const group = family.groups[chance(family.groups.length)]!;
  const source = family.sources[chance(family.sources.length)]!;
  const sources = family.sources.filter(() => chance(2) === 0);
  const moves = family.moves(place, { group, source, filter: chance(2), sources });
  family.set(user, ...moves[chance(moves.length)]!);
}

/** What a run comes to. */
export interface GroupsOutcome {
  /** What the querier knows: asked when it is quiet, then told of changes only. */
  readonly asked: [string, string][];
  readonly told: [string, string][];
  readonly wanted: [[string, string][], [string, string][]];
  readonly frames: number;
  readonly drops: readonly string[];
}

/** Hosts on one link that loses frames, whose programs join and leave as chance has it, and a querier. */
export async function groupsRun(family: GroupFamily, seed: number): Promise<GroupsOutcome> {
  const net = new Net({ seed, modules: family.modules, kernel: { settings: { ...LITTLE, ...family.settings } } });
  const hub = await new Net({ world: net.world, modules: [KernelTimeModule, SkbModule, NetdevModule, WireModule, HubModule] }).host('hub');
  net.hosts.push(hub);
  const chance = chanceOf(seed);
  const users: DatagramUser[][] = [];
  const places: Place[] = [];
  for (let at = 0; at < family.hosts; at++) {
    const host = await net.host(`h${at}`);
    await net.join({ host, device: 'eth0', addresses: family.addresses(at) }, { host: hub, device: `p${at}` });
    users.push([0, 1].map((n) => host.open({ name: `u${n}`, family: family.family })));
    places.push({ at, ifindex: host.device('eth0').ifindex, hubIfindex: hub.device(`p${at}`).ifindex });
  }
  const querier = new GroupQuerier(hub, family);
  const actAnywhere = (): void => {
    const at = chance(family.hosts);
    for (let n = chance(5); n >= 0; n--) act(family, users[at]![chance(2)]!, chance, places[at]!);
  };
  const wants = (): [string, string][] => users.flatMap((each, i) => wanted(family, family.who(places[i]!), each)).sort();
  for (const [i, cable] of net.cables.entries()) cable.set({ loss: LOSS, delayUs: 10 + i });
  for (let step = 0; step < 40; step++) {
    actAnywhere();
    if (step % 10 === 0) querier.query(2000);
    if (step % 7 === 0) querier.query(chance(3000));
    await net.pass(chance(700));
  }
  for (const cable of net.cables) cable.set({ loss: 0 });
  await net.pass(5000);
  querier.forget();
  querier.query(2000);
  await net.pass(5000);
  const [asked, then] = [querier.view, wants()];
  for (let step = 0; step < 40; step++) {
    actAnywhere();
    await net.pass(chance(400));
  }
  await net.pass(5000);
  const [told, now] = [querier.view, wants()];
  const frames = net.cables.reduce((sum, cable) => sum + cable.counts(0).frames + cable.counts(1).frames, 0);
  const drops = net.hosts.flatMap(({ kernel }) =>
    kernel.dropReasons().filter(({ name, count }) => count > 0 && name.startsWith(family.drops)),
  );
  await net.dispose();
  return { asked, told, wanted: [then, now], frames, drops: [...new Set(drops.map(({ name }) => name))] };
}
