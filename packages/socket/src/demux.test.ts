import type { Contributions, CurrentOwner, Skb, SocketHolder, SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, FlowKey, SKB_TYPE, SOCK_FLAG, SOCK_TYPE, SockCommon, SocketGroups, SockOptions } from '@softnet/contract';
import { HalfSipHash } from '@softnet/inet';
import { describe, expect, test } from 'vitest';
import { ChosenPorts } from './chosen-ports.ts';
import { Demux } from './demux.ts';
import { FlowHash } from './flow-hash.ts';
import { FlowTable } from './flow-table.ts';
import { PortTable } from './port-table.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { REUSEADDR, REUSEPORT, PORT_BOUND } = SOCK_FLAG;
const CALLER = 7;
const HERE = 0x0a000001;
const PEER = 0x0a000002;
const SUBNET_BROADCAST = 0x0a0000ff;
const GROUP = 0xe0000101 | 0;

/** A demux, and what its sockets were given: 'name owner', in order. */
function makeDemux() {
  const given: string[] = [];
  const current = { id: CALLER } as CurrentOwner;
  const flows = new FlowTable(new FlowHash(new HalfSipHash([1, 2])), { lookups: { value: 0 }, probes: { value: 0 } });
  const random = { u32: () => 5, below: () => 0, fraction: () => 0, fill: () => {} };
  const chosen = new ChosenPorts(random, new HalfSipHash([3, 4]), () => [100, 101]);
  const demux: Demux = new Demux(flows, new PortTable(chosen, (...asked) => demux.isFlowTaken(...asked)), current);
  const sockOf = (name: string, over: Partial<SockCommon> = {}, then: (skb: Skb) => void = () => {}): SockCommon => {
    const input = (_sock: SockCommon, skb: Skb): void => {
      given.push(`${name} ${current.id}`);
      then(skb);
    };
    return Object.assign(new SockCommon({ name, type: SOCK_TYPE.DGRAM, input } as SockOps), {
      family: INET,
      protocol: 17,
      localPort: 9,
      ...over,
    });
  };
  return { demux, given, current, sockOf };
}

function skbOf(type: number = SKB_TYPE.HOST) {
  const counts = { clones: 0, released: 0 };
  const memory = { pool: { clone: () => ({ ...skb, clone: ++counts.clones }), release: () => void counts.released++ } };
  const skb = { type, memory } as unknown as Skb;
  return { skb, counts };
}

function keyTo(local3: number, over: Partial<FlowKey> = {}): FlowKey {
  return Object.assign(new FlowKey(), {
    ...{ protocol: 17, local2: 0xffff, local3, localPort: 9, remote2: 0xffff, remote3: PEER, remotePort: 5, ifindex: 1 },
    ...over,
  });
}

const flowTo = (remote3: number) => ({ local2: 0xffff, local3: HERE, remote2: 0xffff, remote3, remotePort: 5 });

describe('the demux', () => {
  test('a socket is called as its owner, and who called goes on as himself', () => {
    const { demux, given, current, sockOf } = makeDemux();
    const held = sockOf('held', { holdKind: { owner: 3 } as SockCommon['holdKind'], holdNext: {} as SockCommon });
    demux.insert(held);
    demux.insert(sockOf('free', { localPort: 10 }));
    expect([demux.deliver(skbOf().skb, keyTo(HERE)), current.id]).toEqual([true, CALLER]);
    expect([
      demux.deliver(skbOf().skb, keyTo(HERE, { localPort: 10 })),
      demux.deliver(skbOf().skb, keyTo(HERE, { localPort: 11 })),
    ]).toEqual([true, false]);
    expect(given).toEqual(['held 3', `free ${CALLER}`]);
  });

  test('who is put in without being bound has his port too; who has none is nobody', () => {
    const { demux, sockOf } = makeDemux();
    const none = sockOf('none', { localPort: 0 });
    demux.insert(none);
    demux.insert(sockOf('accepted'));
    expect([none.flags, none.hash, demux.bind(sockOf('late'))]).toEqual([0, 0, -ERRNO.EADDRINUSE]);
  });

  test('a connect that is refused puts nobody in', () => {
    const { demux, sockOf } = makeDemux();
    const one = sockOf('one', { ...flowTo(PEER), flags: REUSEADDR | PORT_BOUND });
    const two = sockOf('two', { ...flowTo(PEER), flags: REUSEADDR | PORT_BOUND });
    expect([demux.connect(one), demux.connect(two), two.hash, demux.find(keyTo(HERE)) === one]).toEqual([0, -ERRNO.EADDRNOTAVAIL, 0, true]);
  });

  test.each([
    ['a port that is named', 9, false],
    ['one that is chosen', 0, true],
  ])('who has a flow is asked, as its owner, whether it leaves it: %s', (_what, localPort, isChosen) => {
    const { demux, current, sockOf } = makeDemux();
    const old = sockOf('old', { ...flowTo(PEER), localPort: 0 });
    // All of the range is theirs.
    expect([demux.connect(old), demux.connect(sockOf('beside', { ...flowTo(PEER), localPort: 0 }))]).toEqual([0, 0]);
    old.holdKind = { owner: 3 } as SockCommon['holdKind'];
    const asked: unknown[] = [];
    let leaves = false;
    old.ops.yields = (...of) => {
      asked.push([...of, current.id]);
      if (leaves) demux.remove(old);
      return leaves;
    };
    const port = old.localPort;
    const young = sockOf('young', { ...flowTo(PEER), localPort: localPort === 0 ? 0 : port, flags: REUSEADDR });
    old.flags |= REUSEADDR;
    const claims = localPort === 0 ? 0 : demux.bind(young);
    expect([claims, demux.connect(young)]).toEqual([0, -ERRNO.EADDRNOTAVAIL]);
    leaves = true;
    expect([demux.connect(young), young.localPort, demux.find(keyTo(HERE, { localPort: port })) === young]).toEqual([0, port, true]);
    expect(asked).toEqual([
      [old, young, isChosen, 3],
      [old, young, isChosen, 3],
    ]);
    expect(current.id).toBe(CALLER);
  });

  test.each([
    ['a subnet’s broadcast', SKB_TYPE.BROADCAST, SUBNET_BROADCAST, 2],
    ['the same address, where it is a host’s', SKB_TYPE.HOST, SUBNET_BROADCAST, 1],
    ['255.255.255.255', SKB_TYPE.HOST, -1, 2],
    ['a group', SKB_TYPE.HOST, GROUP, 2],
  ])('%s is for so many', (_what, type, to, count) => {
    const { demux, given, sockOf } = makeDemux();
    for (const name of ['a', 'b']) demux.insert(sockOf(name, { flags: REUSEADDR }));
    const { skb, counts } = skbOf(type);
    expect([demux.deliver(skb, keyTo(to)), given.length, counts]).toEqual([true, count, { clones: count - 1, released: 0 }]);
  });

  test('a group is heard by all that share a port by REUSEPORT, but for those that want to hear only what they have joined', () => {
    const { demux, given, sockOf } = makeDemux();
    const mute = (): Partial<SockCommon> => ({
      options: Object.assign(new SockOptions(), { groups: Object.assign(new SocketGroups(), { all: false }) }),
    });
    for (const name of ['a', 'b', 'c']) demux.insert(sockOf(name, { flags: REUSEPORT, ...(name === 'b' ? mute() : {}) }));
    demux.insert(sockOf('d', { ifindex: 1, ...mute() }));
    demux.insert(sockOf('e', { ifindex: 1 }));
    expect(demux.deliver(skbOf().skb, keyTo(GROUP))).toBe(true);
    expect(given.map((text) => text[0]).toSorted()).toEqual(['a', 'c', 'e']);
  });

  test.each([
    ['a group of IPv6', 0xff020000 | 0, 2],
    ['a host of IPv6', 0x20010db8, 1],
  ])('%s is for so many', (_what, local0, count) => {
    const { demux, given, sockOf } = makeDemux();
    for (const name of ['a', 'b']) demux.insert(sockOf(name, { family: INET6, flags: REUSEADDR }));
    const from = { remote0: 0x20010db8, remote2: 0 };
    expect([demux.deliver(skbOf().skb, keyTo(1, { local0, local2: 0, ...from })), given.length]).toEqual([true, count]);
  });

  // The last one that was put in stands first, and is given the packet itself, last.
  test.each([
    ['its clone', 'b', ['a', 'c']],
    ['the packet itself', 'c', ['a', 'b']],
  ])('who is closed by one before him gets nothing, and %s is freed', (_what, closed, rest) => {
    const { demux, given, sockOf } = makeDemux();
    const socks = new Map<string, SockCommon>();
    const close = (): void => demux.remove(socks.get(closed)!);
    for (const name of ['a', 'b', 'c']) {
      socks.set(name, sockOf(name, { flags: REUSEADDR }, name === 'a' ? close : undefined));
      demux.insert(socks.get(name)!);
    }
    const { skb, counts } = skbOf();
    demux.deliver(skb, keyTo(GROUP));
    expect([given.map((text) => text[0]), counts]).toEqual([rest, { clones: 2, released: 1 }]);
  });

  test('what is sent to many while that is given out: all have both, each once', () => {
    const { demux, given, sockOf } = makeDemux();
    let again = true;
    const answer = (): void => {
      if (again) {
        again = false;
        expect(demux.deliver(skbOf().skb, keyTo(GROUP, { localPort: 10 }))).toBe(true);
      }
    };
    for (const name of ['a', 'b', 'c']) demux.insert(sockOf(name, { flags: REUSEADDR }, answer));
    for (const name of ['d', 'e']) demux.insert(sockOf(name, { flags: REUSEADDR, localPort: 10 }));
    const names = (): string =>
      given
        .map((text) => text[0])
        .toSorted()
        .join('');
    demux.deliver(skbOf().skb, keyTo(GROUP));
    expect(names()).toBe('abcde');
    demux.deliver(skbOf().skb, keyTo(GROUP));
    expect(names()).toBe('aabbccde');
  });
});

describe('what the generation before has left is there at the first call, whichever that is', () => {
  function followed() {
    const before = makeDemux();
    const socks = {
      bound: before.sockOf('bound', { flags: PORT_BOUND }),
      connected: before.sockOf('connected', { ...flowTo(PEER), localPort: 0 }),
      // Has its port, and no packet finds it.
      quiet: before.sockOf('quiet', { localPort: 12 }),
      closed: before.sockOf('closed', { localPort: 13 }),
    };
    const { bound, connected, quiet } = socks;
    expect([before.demux.bind(bound), before.demux.connect(connected), before.demux.bind(quiet)]).toEqual([0, 0, 0]);
    before.demux.insert(bound);
    const after = makeDemux();
    after.demux.follow({ items: [{ name: 'test', sockets: Object.values(socks) }], owners: [1] } as unknown as Contributions<SocketHolder>);
    return { ...socks, ...after };
  }
  type Followed = ReturnType<typeof followed>;

  test.each<[call: string, first: (of: Followed) => unknown, answer: unknown]>([
    ['deliver', ({ demux }) => demux.deliver(skbOf().skb, keyTo(HERE)), true],
    ['find', ({ demux }) => demux.find(keyTo(HERE))?.ops.name, 'bound'],
    ['bind', ({ demux, sockOf }) => demux.bind(sockOf('late')), -ERRNO.EADDRINUSE],
    [
      'connect',
      ({ demux, sockOf, connected }) => demux.connect(sockOf('late', { ...flowTo(PEER), localPort: connected.localPort })),
      -ERRNO.EADDRNOTAVAIL,
    ],
    ['insert', ({ demux, sockOf }) => demux.insert(sockOf('other', { localPort: 14 })), undefined],
    ['remove', ({ demux, closed }) => demux.remove(closed), undefined],
  ])('%s', (_call, first, answer) => {
    const of = followed();
    const { demux, bound, connected, sockOf } = of;
    expect(first(of)).toBe(answer);
    const found = (localPort: number): string | undefined => demux.find(keyTo(HERE, { localPort }))?.ops.name;
    expect([found(9), found(connected.localPort), found(12), found(13)]).toEqual(['bound', 'connected', undefined, undefined]);
    const late = (localPort: number): number => demux.bind(sockOf('late', { localPort }));
    expect([late(9), late(12), late(13)]).toEqual([-ERRNO.EADDRINUSE, -ERRNO.EADDRINUSE, 0]);
    demux.remove(bound);
    expect([found(9), late(9)]).toEqual([undefined, 0]);
  });
});
