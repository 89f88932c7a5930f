import type { Random, SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, SOCK_FLAG, SOCK_TYPE, SockCommon, SockOptions } from '@softnet/contract';
import { HalfSipHash } from '@softnet/inet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChosenPorts } from './chosen-ports.ts';
import { FlowHash } from './flow-hash.ts';
import { FlowTable } from './flow-table.ts';
import { conflicts, isSameFlow } from './port-conflict.ts';
import { PortTable } from './port-table.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { REUSEADDR, REUSEPORT, V6ONLY, LISTENING } = SOCK_FLAG;
const datagrams = { name: 'test', type: SOCK_TYPE.DGRAM } as SockOps;
const streams = { name: 'test', type: SOCK_TYPE.STREAM } as SockOps;

function sockOf(over: Partial<SockCommon> = {}, ops = datagrams): SockCommon {
  return Object.assign(new SockCommon(ops), { family: INET, protocol: 17 }, over);
}

const random = (first: number): Random => ({ u32: () => first, below: (bound) => first % bound, fraction: () => 0, fill: () => {} });
/** Ports, and the flows that have them: a connection is in both, as the demux sees to. */
function tableOf(low = 32768, high = 60999, first = 5) {
  const flows = new FlowTable(new FlowHash(new HalfSipHash([1, 2])), { lookups: { value: 0 }, probes: { value: 0 } });
  const chosen = new ChosenPorts(random(first), new HalfSipHash([3, 4]), () => [low, high]);
  const ports = new PortTable(chosen, (sock, port) => flows.flowHolder(sock, port) !== null);
  return {
    bind: (sock: SockCommon) => ports.bind(sock),
    connect: (sock: SockCommon) => {
      const error = ports.connect(sock);
      if (error === 0) flows.insert(sock);
      return error;
    },
    /** Its ends have changed. */
    claim: (sock: SockCommon) => {
      ports.claim(sock);
      flows.insert(sock);
    },
    release: (sock: SockCommon) => {
      flows.remove(sock);
      ports.release(sock);
    },
    get count() {
      return ports.count;
    },
  };
}

const V4 = { local2: 0xffff, local3: 0x0a000001 };
const OTHER_V4 = { local2: 0xffff, local3: 0x0a000002 };
const V6 = { family: INET6, local0: 0x20010db8, local3: 1 };
const WILD6 = { family: INET6 };

describe("who may share a port: Linux's rules", () => {
  test.each<[string, Partial<SockCommon>, Partial<SockCommon>, boolean]>([
    ['two of nothing', {}, {}, true],
    ['an address and another', V4, OTHER_V4, false],
    ['an address and itself', V4, V4, true],
    ['an address and any', V4, {}, true],
    ['any of both families, dual-stack', {}, WILD6, true],
    ['any of both families, V6ONLY', {}, { ...WILD6, flags: V6ONLY }, false],
    ['an IPv4 address and ::', V4, WILD6, true],
    ['an IPv4 address and ::, V6ONLY', V4, { ...WILD6, flags: V6ONLY }, false],
    ['an IPv6 address and 0.0.0.0', V6, {}, false],
    ['an IPv6 address and ::', V6, WILD6, true],
    ['an IPv6 address and :: that is V6ONLY', V6, { ...WILD6, flags: V6ONLY }, true],
    ['two V6ONLY', { ...WILD6, flags: V6ONLY }, { ...WILD6, flags: V6ONLY }, true],
    ['REUSEADDR of one', { flags: REUSEADDR }, {}, true],
    ['REUSEADDR of both', { flags: REUSEADDR }, { flags: REUSEADDR | LISTENING }, false],
    ['REUSEPORT of one', { flags: REUSEPORT }, { flags: REUSEADDR }, true],
    ['REUSEPORT of both', { flags: REUSEPORT }, { flags: REUSEPORT }, false],
    ['REUSEPORT of two users', { flags: REUSEPORT }, { flags: REUSEPORT, options: Object.assign(new SockOptions(), { uid: 7 }) }, true],
    ['two interfaces', { ifindex: 1 }, { ifindex: 2 }, false],
    ['an interface and itself', { ifindex: 1 }, { ifindex: 1 }, true],
    ['an interface and any', { ifindex: 1 }, {}, true],
  ])('%s', (_name, one, other, expected) => {
    const [a, b] = [sockOf(one), sockOf(other)];
    expect([conflicts(a, b), conflicts(b, a), conflicts(a, a)]).toEqual([expected, expected, false]);
  });

  test('of streams, REUSEADDR lets nobody in beside a listener, but one begins to listen beside those that do not', () => {
    const listener = sockOf({ flags: REUSEADDR | LISTENING }, streams);
    const [one, two] = [sockOf({ flags: REUSEADDR }, streams), sockOf({ flags: REUSEADDR }, streams)];
    expect([conflicts(one, listener), conflicts(listener, one), conflicts(one, two)]).toEqual([true, false, false]);
  });

  test.each([REUSEADDR, REUSEPORT])(
    'where a port is chosen, streams share it with nobody who may be meant, whatever both say: %i',
    (flags) => {
      const pair = (ops: SockOps) => [sockOf({ ...V4, flags }, ops), sockOf({ flags }, ops), sockOf({ ...OTHER_V4, flags }, ops)] as const;
      const [bound, wild, other] = pair(streams);
      expect([conflicts(bound, wild, true), conflicts(bound, wild), conflicts(bound, other, true)]).toEqual([true, false, false]);
      const [datagram, any] = pair(datagrams);
      expect(conflicts(datagram, any, true)).toBe(false);
    },
  );
});

test.each<[string, Partial<SockCommon>, boolean]>([
  ['itself by another socket', {}, true],
  ['another port of the peer', { remotePort: 2 }, false],
  ['another peer', { remote3: 2 }, false],
  ['another peer, by its first word', { remote0: 2 }, false],
  ['another address here', OTHER_V4, false],
  ['an interface, beside any', { ifindex: 1 }, true],
])('a flow and %s: the same?', (_name, over, expected) => {
  const flow = { ...V4, remote2: 0xffff, remote3: 1, remotePort: 1 };
  const [one, other] = [sockOf(flow), sockOf({ ...flow, ...over })];
  expect([isSameFlow(one, other), isSameFlow(other, one), isSameFlow(one, one)]).toEqual([expected, expected, false]);
  expect(isSameFlow(Object.assign(one, { ifindex: 2 }), Object.assign(other, { ifindex: 1 }))).toBe(false);
});

describe('ports', () => {
  test('a port is had once, is another one for each protocol, and comes back', () => {
    const table = tableOf();
    const one = sockOf({ localPort: 7 });
    expect(table.bind(one)).toBe(0);
    expect(table.bind(sockOf({ localPort: 7 }))).toBe(-ERRNO.EADDRINUSE);
    const lite = sockOf({ localPort: 7, protocol: 136 });
    expect(table.bind(lite)).toBe(0);
    table.release(one);
    table.release(one);
    expect(table.bind(sockOf({ localPort: 7 }))).toBe(0);
    expect(table.count).toBe(2);
  });

  test('chooses from the range, from a random one on, and says when none is left', () => {
    const table = tableOf(100, 103, 2);
    const ports = Array.from({ length: 4 }, () => {
      const sock = sockOf();
      expect(table.bind(sock)).toBe(0);
      return sock.localPort;
    });
    expect(ports).toEqual([102, 103, 100, 101]);
    const late = sockOf();
    expect([table.bind(late), late.localPort]).toEqual([-ERRNO.EADDRINUSE, 0]);
    expect(table.connect(sockOf(OTHER_V4))).toBe(-ERRNO.EADDRNOTAVAIL);
    expect(tableOf(200, 100).bind(sockOf())).toBe(-ERRNO.EADDRINUSE);
  });

  test('connections share a chosen port when all are taken, by different peers only', () => {
    const table = tableOf(100, 101, 0);
    const to = (peer: number, over: Partial<SockCommon> = {}) => sockOf({ ...V4, remote2: 0xffff, remote3: peer, remotePort: 9, ...over });
    const socks = [to(1), to(1), to(2), to(2)];
    expect(socks.map((sock) => table.connect(sock))).toEqual([0, 0, 0, 0]);
    const [a, b, c, d] = socks.map(({ localPort }) => localPort);
    expect([[a, b].toSorted(), [c, d].toSorted()]).toEqual([
      [100, 101],
      [100, 101],
    ]);
    expect(table.connect(to(1))).toBe(-ERRNO.EADDRNOTAVAIL);
    expect(table.connect(to(2, { localPort: 100 }))).toBe(-ERRNO.EADDRNOTAVAIL);
    expect(table.connect(to(3, { localPort: 100 }))).toBe(-ERRNO.EADDRINUSE);
    table.release(socks[0]!);
    socks[0]!.localPort = 0;
    expect([table.connect(socks[0]!), socks[0]!.localPort]).toEqual([0, a]);
  });

  test('who had a chosen port for a connection, and is none any more, shares it no longer', () => {
    const { connect, claim, release } = tableOf(40000, 40000);
    const [a, b] = [sockOf({ ...V4, remote3: 1, remotePort: 1 }), sockOf({ ...V4, remote3: 2, remotePort: 1 })];
    expect([connect(a), connect(b), a.localPort, b.localPort]).toEqual([0, 0, 40000, 40000]);
    Object.assign(a, { remote3: 0, remotePort: 0 });
    claim(a);
    const late = sockOf({ ...V4, remote3: 3, remotePort: 1 });
    expect(connect(late)).toBe(-ERRNO.EADDRNOTAVAIL);
    release(a);
    expect(connect(late)).toBe(0);
  });

  test.each([0, 100])('a port that was bound is not chosen for streams, by whatever address, until it is free: bind to %i', (localPort) => {
    const table = tableOf(100, 100);
    const bound = sockOf({ ...V4, localPort }, streams);
    expect([table.bind(bound), bound.localPort]).toEqual([0, 100]);
    Object.assign(bound, { remote2: 0xffff, remote3: 1, remotePort: 9 });
    expect(table.connect(bound)).toBe(0);
    const to = (peer: number, ops = streams) => sockOf({ ...OTHER_V4, remote2: 0xffff, remote3: peer, remotePort: 9 }, ops);
    const [late, given, datagrams] = [to(2), to(3), to(2, sockOf().ops)];
    expect([table.connect(late), table.connect(datagrams)]).toEqual([-ERRNO.EADDRNOTAVAIL, 0]);
    table.release(datagrams);
    table.release(bound);
    expect(table.connect(given)).toBe(0);
    expect([table.bind(Object.assign(bound, { localPort: 100, remote3: 0 })), table.connect(late)]).toEqual([0, -ERRNO.EADDRNOTAVAIL]);
    table.release(bound);
    expect(table.connect(late)).toBe(0);
  });
});

describe('the double hash (RFC 6056 §3.3.4)', () => {
  const to = (peer: number, port = 9): SockCommon => sockOf({ ...V4, remote2: 0xffff, remote3: peer, remotePort: port });
  test('ports of one peer follow one another, and none comes again before many others have', () => {
    const table = tableOf(1000, 1999);
    const socks = Array.from({ length: 200 }, () => to(1));
    const ports = socks.map((sock) => {
      expect(table.connect(sock)).toBe(0);
      table.release(sock);
      return sock.localPort;
    });
    const steps = ports.slice(1).map((port, i) => (port - ports[i]! + 1000) % 1000);
    expect([Math.min(...steps) >= 1, Math.max(...steps) <= 8]).toEqual([true, true]);
    expect(new Set(ports.slice(0, 100)).size).toBe(100);
  });

  test('with each peer, and each of its ports, they begin elsewhere', () => {
    const firsts = Array.from({ length: 64 }, (_, i) => {
      const sock = to(1 + (i >> 1), 80 + (i & 1));
      expect(tableOf(1000, 60_999).connect(sock)).toBe(0);
      return sock.localPort;
    });
    expect(new Set(firsts).size).toBeGreaterThan(60);
  });

  test('a connection does not look at those that share its port', () => {
    const table = tableOf(1000, 1000);
    const socks = Array.from({ length: 3000 }, (_, i) => to(i + 1));
    for (const sock of socks) expect(table.connect(sock)).toBe(0);
    expect([table.connect(to(5)), table.connect(to(5, 10)), table.count]).toEqual([-ERRNO.EADDRNOTAVAIL, 0, 1]);
    // Who binds meets them.
    expect([table.bind(sockOf({ ...V4, localPort: 1000 })), table.bind(sockOf({ ...OTHER_V4, localPort: 1000 }))]).toEqual([
      -ERRNO.EADDRINUSE,
      0,
    ]);
  });
});

test('grants and refuses as a list of all claims does, in any order of calls', () => {
  const anySock = fc.record({
    family: fc.constantFrom<number>(INET, INET6),
    local: fc.constantFrom({}, V4, OTHER_V4, { local0: 0x20010db8, local3: 1 }),
    port: fc.constantFrom(0, 0, 100, 101, 102),
    flags: fc.constantFrom(0, 0, REUSEADDR, REUSEPORT, V6ONLY),
    ifindex: fc.constantFrom(0, 0, 1, 2),
    release: fc.boolean(),
    pick: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(anySock, { maxLength: 30 }), fc.nat(9), (moves, first) => {
      const table = tableOf(100, 102, first);
      const claims: SockCommon[] = [];
      for (const { family, local, port, flags, ifindex, release, pick } of moves) {
        const sock = sockOf({ family, ...local, localPort: port, flags, ifindex });
        const free = (at: number) => claims.every((other) => other.localPort !== at || !conflicts(sock, other));
        const could = port === 0 ? [100, 101, 102].some(free) : free(port);
        const before = [...claims];
        expect(table.bind(sock)).toBe(could ? 0 : -ERRNO.EADDRINUSE);
        if (could) {
          expect(before.every((other) => other.localPort !== sock.localPort || !conflicts(sock, other))).toBe(true);
          claims.push(sock);
        }
        const gone = claims[pick % (claims.length || 1)];
        if (!release || gone === undefined) continue;
        table.release(gone);
        claims.splice(claims.indexOf(gone), 1);
      }
      expect(table.count).toBe(new Set(claims.map(({ localPort }) => localPort)).size);
      for (const sock of claims) table.release(sock);
      expect(table.count).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('connections get the ports that a list of all claims would give them, beside what is bound', () => {
  const anyMove = fc.record({
    how: fc.constantFrom('connect', 'connect', 'connect', 'bind', 'connect bound', 'release'),
    local: fc.constantFrom(V4, V4, OTHER_V4),
    peer: fc.constantFrom(1, 2),
    port: fc.constantFrom(0, 0, 100, 101),
    flags: fc.constantFrom(0, 0, REUSEADDR),
    ifindex: fc.constantFrom(0, 0, 1, 2),
    pick: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 24, size: 'max' }), fc.nat(9), (moves, first) => {
      const table = tableOf(100, 101, first);
      const claims: SockCommon[] = [];
      /** Connections whose port was chosen: others may be given it too. */
      const given = new Set<SockCommon>();
      const at = (port: number) => claims.filter((other) => other.localPort === port);
      const isFree = (sock: SockCommon, port: number) => at(port).every((other) => !conflicts(sock, other));
      const hasFlow = (sock: SockCommon, port: number) => at(port).some((other) => other.remote3 !== 0 && isSameFlow(sock, other));
      const mayHave = (sock: SockCommon, port: number) =>
        !hasFlow(sock, port) && at(port).every((other) => given.has(other) || !conflicts(sock, other));
      for (const { how, local, peer, port, flags, ifindex, pick } of moves) {
        const remote = { remote2: 0xffff, remote3: peer, remotePort: 9 };
        const old = claims[pick % (claims.length || 1)];
        if (how === 'release' && old !== undefined) {
          table.release(old);
          given.delete(old);
          claims.splice(claims.indexOf(old), 1);
        } else if (how === 'bind') {
          const sock = sockOf({ ...local, localPort: port, flags, ifindex });
          const could = port === 0 ? isFree(sock, 100) || isFree(sock, 101) : isFree(sock, port);
          expect(table.bind(sock)).toBe(could ? 0 : -ERRNO.EADDRINUSE);
          if (could) claims.push(sock);
        } else if (how === 'connect') {
          const sock = sockOf({ ...local, ...remote, localPort: port, flags, ifindex });
          const could = port === 0 ? mayHave(sock, 100) || mayHave(sock, 101) : !hasFlow(sock, port) && isFree(sock, port);
          const candidates = [100, 101].filter((each) => mayHave(sock, each));
          const errno = port === 0 || hasFlow(sock, port) ? ERRNO.EADDRNOTAVAIL : ERRNO.EADDRINUSE;
          expect(table.connect(sock)).toBe(could ? 0 : -errno);
          if (!could) continue;
          if (port === 0) {
            expect(candidates).toContain(sock.localPort);
            given.add(sock);
          }
          claims.push(sock);
        } else if (how === 'connect bound' && old !== undefined && old.remote3 === 0) {
          const before = { remote2: 0, remote3: 0, remotePort: 0 };
          Object.assign(old, remote);
          const could = !hasFlow(old, old.localPort);
          expect(table.connect(old)).toBe(could ? 0 : -ERRNO.EADDRNOTAVAIL);
          if (!could) Object.assign(old, before);
        }
      }
    }),
    { numRuns: 300 },
  );
});
