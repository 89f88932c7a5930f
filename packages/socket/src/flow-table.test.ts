import type { Random, SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, FlowKey, SOCK_FLAG, SOCK_TYPE, SockCommon } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { HalfSipHash, sipKey } from '@softnet/inet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowHash } from './flow-hash.ts';
import { FlowTable } from './flow-table.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const ops = { name: 'test', type: SOCK_TYPE.DGRAM } as SockOps;

type Words = readonly [number, number, number, number];
const ANY: Words = [0, 0, 0, 0];
const V4: readonly Words[] = [
  [0, 0, 0xffff, 0x0a000001],
  [0, 0, 0xffff, 0x0a000002],
];
const V6: readonly Words[] = [
  [0x20010db8, 0, 0, 1],
  [0x20010db8, 0, 0, 2],
];

function chance(seed: number): Random {
  let state = seed | 1;
  const u32 = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 0;
  };
  return { u32, below: (bound) => u32() % bound, fraction: () => u32() / 2 ** 32, fill: () => {} };
}

interface Spec {
  readonly family: number;
  readonly protocol: number;
  readonly local: Words;
  readonly remote: Words;
  readonly localPort: number;
  readonly remotePort: number;
  readonly ifindex: number;
  readonly flags: number;
}

function make(spec: Spec): SockCommon {
  const sock = new SockCommon(ops);
  const [local0, local1, local2, local3] = spec.local;
  const [remote0, remote1, remote2, remote3] = spec.remote;
  const { family, protocol, localPort, remotePort, ifindex, flags } = spec;
  const ends = { local0, local1, local2, local3, remote0, remote1, remote2, remote3 };
  return Object.assign(sock, ends, { family, protocol, localPort, remotePort, ifindex, flags });
}

function keyOf(local: Words, remote: Words, localPort: number, remotePort: number, protocol = 17, ifindex = 1): FlowKey {
  const [local0, local1, local2, local3] = local;
  const [remote0, remote1, remote2, remote3] = remote;
  const ends = { local0, local1, local2, local3, remote0, remote1, remote2, remote3 };
  return Object.assign(new FlowKey(), ends, { localPort, remotePort, protocol, ifindex });
}

const spec = (over: Partial<Spec>): Spec => ({
  ...{ family: INET, protocol: 17, local: ANY, remote: ANY, localPort: 7, remotePort: 0, ifindex: 0, flags: 0 },
  ...over,
});

function makeTable(seed: number, counters = { lookups: { value: 0 }, probes: { value: 0 } }): FlowTable {
  return new FlowTable(new FlowHash(new HalfSipHash(sipKey(chance(seed)))), counters);
}

function tableOf(...socks: SockCommon[]): FlowTable {
  const table = makeTable(5);
  for (const sock of socks) table.insert(sock);
  return table;
}

describe('the flow table', () => {
  test('all ends, then the local end, then the port; nothing for port 0', () => {
    const port = make(spec({}));
    const end = make(spec({ local: V4[0]! }));
    const flow = make(spec({ local: V4[0]!, remote: V4[1]!, remotePort: 99 }));
    const table = tableOf(flow, port, end);
    const key = keyOf(V4[0]!, V4[1]!, 7, 99);
    expect(table.find(key)).toBe(flow);
    table.remove(flow);
    expect(table.find(key)).toBe(end);
    table.remove(end);
    expect(table.find(key)).toBe(port);
    expect(table.find(keyOf(V4[0]!, V4[1]!, 8, 99))).toBeNull();
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 99, 6))).toBeNull();
    table.insert(make(spec({ localPort: 0 })));
    expect(table.find(keyOf(V4[0]!, V4[1]!, 0, 99))).toBeNull();
  });

  test('a dual-stack socket takes IPv4 flows, one that is V6ONLY does not, and one of the family itself goes before', () => {
    const dual = make(spec({ family: INET6 }));
    const table = tableOf(dual);
    const ipv4 = keyOf(V4[0]!, V4[1]!, 7, 99);
    const ipv6 = keyOf(V6[0]!, V6[1]!, 7, 99);
    expect([table.find(ipv4), table.find(ipv6)]).toEqual([dual, dual]);
    const own = make(spec({}));
    table.insert(own);
    table.insert(dual);
    expect([table.find(ipv4) === own, table.find(ipv6) === dual]).toEqual([true, true]);
    table.remove(own);
    dual.flags |= SOCK_FLAG.V6ONLY;
    expect([table.find(ipv4), table.find(ipv6)]).toEqual([null, dual]);
  });

  test('the interface counts', () => {
    const any = make(spec({}));
    const bound = make(spec({ ifindex: 2 }));
    const table = tableOf(bound, any);
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 9, 17, 2))).toBe(bound);
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 9, 17, 1))).toBe(any);
  });

  test('a REUSEPORT group shares flows out, each always to the same', () => {
    const group = Array.from({ length: 4 }, () => make(spec({ flags: SOCK_FLAG.REUSEPORT })));
    const table = tableOf(...group);
    const counts = new Map(group.map((sock) => [sock, 0]));
    for (let port = 1; port <= 4000; port++) {
      const key = keyOf(V4[0]!, V4[1]!, 7, port);
      const found = table.find(key)!;
      expect(table.find(key)).toBe(found);
      counts.set(found, counts.get(found)! + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(800);
  });

  test('a socket that moves to other ends is found by those, and one that is not there is not removed', () => {
    const sock = make(spec({}));
    const table = tableOf(sock);
    Object.assign(sock, { remote2: 0xffff, remote3: V4[1]![3], remotePort: 9, local2: 0xffff, local3: V4[0]![3] });
    table.insert(sock);
    expect(table.count).toBe(1);
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 9))).toBe(sock);
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 10))).toBeNull();
    expect([table.remove(make(spec({}))), table.remove(sock), table.remove(sock), table.count]).toEqual([false, true, false, 0]);
  });

  test('grows, and who came last is still found first; who is out has no neighbours', () => {
    const table = tableOf();
    const same = Array.from({ length: 300 }, () => make(spec({})));
    for (const sock of same) table.insert(sock);
    const key = keyOf(V4[0]!, V4[1]!, 7, 9);
    for (const sock of same.toReversed()) {
      expect(table.find(key)).toBe(sock);
      expect([table.remove(sock), sock.hashNext]).toEqual([true, null]);
    }
    expect(table.count).toBe(0);
  });

  test('sockets whose hashes are all the same are told apart', () => {
    class Same extends HalfSipHash {
      override of(): number {
        return 8;
      }
    }
    const counters = { lookups: { value: 0 }, probes: { value: 0 } };
    const table = new FlowTable(new FlowHash(new Same([0, 0])), counters);
    const flow = { local: V4[0]!, remote: V4[1]!, remotePort: 99, flags: SOCK_FLAG.REUSEPORT };
    const [udp, twin, tcp, next] = [{}, {}, { protocol: 6 }, { localPort: 8 }].map((over) => make(spec({ ...flow, ...over })));
    for (const sock of [udp, twin, tcp, next]) table.insert(sock!);
    const key = keyOf(V4[0]!, V4[1]!, 7, 99);
    const found: (SockCommon | null)[] = [];
    expect([table.findAll(key, found), new Set(found)]).toEqual([2, new Set([udp, twin])]);
    expect([table.find(keyOf(V4[0]!, V4[1]!, 7, 99, 6)) === tcp, table.find(keyOf(V4[0]!, V4[1]!, 8, 99)) === next]).toEqual([true, true]);
    const other = make(spec({ ...flow, protocol: 132 }));
    expect([table.flowHolder(other, 7), table.flowHolder(tcp!, 7), table.flowHolder(tcp!, 8)]).toEqual([null, null, null]);
    expect([udp, twin]).toContain(table.flowHolder(make(spec(flow)), 7));
  });

  test('skips a socket whose protocol was torn off and left it there', () => {
    const dead = make(spec({}));
    const table = tableOf(dead);
    dead.holdKind = {} as SockCommon['holdKind'];
    expect(table.find(keyOf(V4[0]!, V4[1]!, 7, 9))).toBeNull();
  });
});

const words = fc.constantFrom(ANY, ...V4, ...V6);
const peers = fc.constantFrom(ANY, ANY, ...V4, ...V6);
const anySpec: fc.Arbitrary<Spec> = fc.record({
  family: fc.constantFrom<number>(INET, INET6),
  protocol: fc.constantFrom(17, 17, 136),
  local: words,
  remote: peers,
  localPort: fc.constantFrom(7, 8),
  remotePort: fc.constantFrom(0, 9),
  ifindex: fc.constantFrom(0, 0, 1, 2),
  flags: fc.constantFrom(0, SOCK_FLAG.V6ONLY, SOCK_FLAG.REUSEPORT),
});

/** As the contract says it, one socket after the other. Null: it does not match. */
function rank(sock: SockCommon, key: FlowKey): number | null {
  const eq = (a: Words, b: Words) => a.every((word, i) => word === b[i]);
  const local: Words = [sock.local0, sock.local1, sock.local2, sock.local3];
  const remote: Words = [sock.remote0, sock.remote1, sock.remote2, sock.remote3];
  const to: Words = [key.local0, key.local1, key.local2, key.local3];
  const from: Words = [key.remote0, key.remote1, key.remote2, key.remote3];
  const mapped = to[2] === 0xffff && to[0] === 0;
  if (sock.protocol !== key.protocol || sock.localPort !== key.localPort) return null;
  if (sock.ifindex !== 0 && sock.ifindex !== key.ifindex) return null;
  if (!eq(remote, ANY) && !(eq(remote, from) && sock.remotePort === key.remotePort)) return null;
  if (!eq(local, ANY) || !eq(remote, ANY)) {
    if (!eq(local, to)) return null;
  } else if (sock.family === INET ? !mapped : mapped && (sock.flags & SOCK_FLAG.V6ONLY) !== 0) return null;
  const tier = !eq(remote, ANY) ? 2 : !eq(local, ANY) ? 1 : 0;
  return tier * 100 + (sock.ifindex !== 0 ? 10 : 0) + (mapped && sock.family === INET6 ? 0 : 1);
}

test('finds what looking at each of them finds, whatever came and went', () => {
  const steps = fc.array(fc.record({ spec: anySpec, remove: fc.boolean(), again: anySpec, pick: fc.nat(99) }), { maxLength: 60 });
  const key = fc.record({ local: fc.constantFrom(...V4, ...V6), remote: fc.constantFrom(...V4, ...V6), ifindex: fc.constantFrom(1, 2) });
  const keys = fc.array(fc.tuple(key, fc.constantFrom(7, 8), fc.constantFrom(9, 10), fc.constantFrom(17, 136)), { minLength: 1 });
  fc.assert(
    fc.property(steps, keys, fc.integer(), (moves, flows, seed) => {
      const table = makeTable(seed);
      const model: SockCommon[] = [];
      for (const { spec: each, remove, again, pick } of moves) {
        const sock = make(each);
        table.insert(sock);
        model.push(sock);
        const other = model[pick % model.length]!;
        if (remove) {
          table.remove(other);
          model.splice(model.indexOf(other), 1);
        } else {
          Object.assign(other, make(again), { hash: other.hash, hashNext: other.hashNext });
          table.insert(other);
        }
      }
      expect(table.count).toBe(model.length);
      for (const [{ local, remote, ifindex }, to, from, protocol] of flows) {
        const flow = keyOf(local, remote, to, from, protocol, ifindex);
        const ranks = model.map((sock) => rank(sock, flow));
        const best = Math.max(-1, ...ranks.filter((each) => each !== null));
        const found = table.find(flow);
        expect(found === null ? -1 : rank(found, flow)).toBe(best);
        const all: SockCommon[] = [];
        table.findAll(flow, all);
        expect(new Set(all)).toEqual(new Set(model.filter((_, i) => ranks[i] !== null)));
      }
    }),
    { numRuns: 300 },
  );
});

/** Sockets that want the same and share it: Linux's SO_REUSEPORT. */
function groupOf({ family, ifindex, flags, protocol, local, remote, remotePort }: Spec): string {
  return JSON.stringify([family, ifindex, flags, protocol, local, remote, remotePort]);
}

test('flows are shared out among all that are alike and best, and nobody else, whatever came and went', () => {
  const shared = fc.record<Spec>({
    family: fc.constantFrom<number>(INET, INET6),
    protocol: fc.constant(17),
    local: fc.constantFrom(ANY, ANY, V4[0]!),
    remote: fc.constantFrom(ANY, ANY, ANY, V4[1]!),
    localPort: fc.constant(7),
    remotePort: fc.constantFrom(9, 10),
    ifindex: fc.constantFrom(0, 0, 1),
    flags: fc.constantFrom(SOCK_FLAG.REUSEPORT, SOCK_FLAG.REUSEPORT, SOCK_FLAG.REUSEPORT | SOCK_FLAG.V6ONLY),
  });
  const moves = fc.array(fc.record({ of: shared, remove: fc.boolean(), pick: fc.nat(99) }), { minLength: 4, maxLength: 16, size: 'max' });
  fc.assert(
    fc.property(moves, fc.constantFrom(V4, V6), fc.constantFrom(1, 2), fc.integer(), (steps, [to, from], ifindex, seed) => {
      const table = makeTable(seed);
      const model: { sock: SockCommon; of: Spec }[] = [];
      for (const { of, remove, pick } of steps) {
        const sock = make(of);
        table.insert(sock);
        model.push({ sock, of });
        if (remove) table.remove(model.splice(pick % model.length, 1)[0]!.sock);
      }
      expect(table.count).toBe(model.length);
      const met = new Map<string, Set<SockCommon>>();
      let best = -1;
      // Two flows that connections may have, then so many that nobody has: these differ by nothing but whom they fall to.
      for (let i = 0; i < 602; i++) {
        const key = keyOf(to!, from!, 7, i < 2 ? 9 + i : 1000 + i, 17, ifindex);
        if (i < 3) best = Math.max(-1, ...model.map(({ sock }) => rank(sock, key) ?? -1));
        const found = table.find(key);
        if ((found === null ? -1 : rank(found, key)) !== best)
          throw new Error(`flow ${i} falls to one of rank ${found && rank(found, key)}, not ${best}`);
        if (found === null) continue;
        const group = groupOf(model.find(({ sock }) => sock === found)!.of);
        if (i >= 2) met.set(group, (met.get(group) ?? new Set()).add(found));
      }
      expect(met.size).toBeLessThan(2);
      // Of 16 at most, 600 flows miss one once in 10¹⁵.
      for (const [group, socks] of met) {
        const alike = model.filter(({ of }) => groupOf(of) === group);
        expect(socks).toEqual(new Set(alike.map(({ sock }) => sock)));
      }
    }),
    { numRuns: 150 },
  );
});

test('looking up allocates nothing', () => {
  const table = tableOf(...Array.from({ length: 200 }, (_, i) => make(spec({ localPort: 1000 + i, local: V4[i & 1]! }))));
  const key = keyOf(V4[0]!, V4[1]!, 1000, 9);
  const bytes = heapPerCall(1, (i) => {
    key.localPort = 1000 + (i % 200);
    table.find(key);
  });
  expect(bytes).toBeLessThan(1);
});

/** A million flows of 1,000 hosts. */
function flowOf(i: number): Spec {
  return spec({ local: V4[0]!, remote: [0, 0, 0xffff, 0x0b000000 + (i % 1000)], localPort: 7, remotePort: 1 + Math.floor(i / 1000) });
}

test('with a hundred thousand connections two sockets are looked at for each packet at most, and no step moves many', () => {
  const counters = { lookups: { value: 0 }, probes: { value: 0 } };
  const table = makeTable(3, counters);
  const listener = make(spec({}));
  table.insert(listener);
  const socks = Array.from({ length: 100_000 }, (_, i) => make(flowOf(i)));
  for (const sock of socks) table.insert(sock);
  for (let i = 0; i < socks.length; i += 10) {
    const { remote, remotePort } = flowOf(i);
    expect(table.find(keyOf(V4[0]!, remote, 7, remotePort))).toBe(socks[i]);
    expect(table.find(keyOf(V4[0]!, remote, 7, 60_000))).toBe(listener);
  }
  expect(counters.lookups.value).toBe(20_000);
  expect(counters.probes.value / counters.lookups.value).toBeLessThan(2);
  for (const sock of socks) table.remove(sock);
  expect(table.count).toBe(1);
});

test('where nothing can match better, the first that matches is the last that is looked at', () => {
  const counters = { lookups: { value: 0 }, probes: { value: 0 } };
  const table = makeTable(3, counters);
  const key = keyOf(V4[0]!, V4[1]!, 7, 9);
  const probes = (): number => {
    const before = counters.probes.value;
    table.find(key);
    return counters.probes.value - before;
  };
  const same = Array.from({ length: 50 }, () => make(spec({})));
  for (const sock of same) table.insert(sock);
  expect([probes(), table.find(key)]).toEqual([1, same[49]]);
  // One that is of IPv6 may be beaten by those behind it; and one that is bound to the interface beats all, wherever it is.
  const dual = make(spec({ family: INET6 }));
  table.insert(dual);
  expect([probes(), table.find(key)]).toEqual([2, same[49]]);
  Object.assign(same[0]!, { ifindex: 1 });
  table.insert(same[0]!);
  table.insert(same[1]!);
  expect([table.find(key), probes()]).toEqual([same[0], 2]);
  table.remove(same[0]!);
  expect(probes()).toBe(50);
  for (const sock of [...same, dual]) table.remove(sock);
  for (const sock of same.slice(2)) table.insert(sock);
  expect(probes()).toBe(1);
});

test('a REUSEPORT group of a thousand is one socket to look at, and members come and go', () => {
  const counters = { lookups: { value: 0 }, probes: { value: 0 } };
  const table = makeTable(3, counters);
  const group = Array.from({ length: 1000 }, () => make(spec({ flags: SOCK_FLAG.REUSEPORT })));
  for (const sock of group) table.insert(sock);
  const found = new Set<SockCommon | null>();
  for (let port = 1; port <= 5000; port++) found.add(table.find(keyOf(V4[0]!, V4[1]!, 7, port)));
  expect(found.size).toBeGreaterThan(950);
  expect(counters.probes.value).toBe(5000);
  const all: SockCommon[] = [];
  expect(table.findAll(keyOf(V4[0]!, V4[1]!, 7, 1), all)).toBe(1000);
  for (const sock of group.slice(0, 999)) expect(table.remove(sock)).toBe(true);
  expect([table.count, table.find(keyOf(V4[0]!, V4[1]!, 7, 1)) === group[999]]).toEqual([1, true]);
  table.insert(group[0]!);
  expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map((port) => table.find(keyOf(V4[0]!, V4[1]!, 7, port)))).size).toBe(2);
});
