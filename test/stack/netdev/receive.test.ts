import type { EthertypeHandler, HookChain, Skb, Tap } from '@softnet/contract';
import {
  DEVICE_FEATURE,
  DropReason,
  dequeue,
  ETHERTYPE,
  enqueue,
  GRO,
  HOOK_POINT,
  resumeHooks,
  SKB_TYPE,
  SkbQueue,
  VERDICT,
} from '@softnet/contract';
import { appendFragment, copyIn } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNetdev, deviceHook, FakeDriver, FakeHandler, frame, OUR_MAC, PEER_MAC, packet, plug, receive, textOf } from './netdev-host.ts';

const ALL_ONES = new Uint8Array(6).fill(0xff);
const GROUP = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

async function boot(features = 0) {
  const host = await bootNetdev();
  const driver = new FakeDriver(host);
  const device = plug(host, driver, 'eth0', { features });
  const ip = new FakeHandler();
  return { host, driver, device, ip };
}

test('by ethertype to its handler, as its module, with what is known of it; of two generations, the newer', async () => {
  const { host, device, ip } = await boot();
  const seen: unknown[] = [];
  let owner = 0;
  const arp: EthertypeHandler = {
    ...{ name: 'arp', ethertype: ETHERTYPE.ARP, dissect: null, gro: null, segment: null },
    input: (skb, { name }) => {
      seen.push([name, skb.ifindex, skb.queue, skb.type, skb.mac - skb.data, skb.network - skb.data, textOf(skb)]);
      skb.memory.pool.release(skb);
    },
  };
  await host.load('ip', { handlers: [ip] });
  await host.load('arp', { handlers: [arp] }, (ctx) => {
    owner = ctx.owner;
  });
  expect(owner).toBeGreaterThan(0);
  receive(host, device, frame('one'), frame('who has', { ethertype: ETHERTYPE.ARP, to: ALL_ONES }), frame('two'));
  expect([ip.got, seen]).toEqual([['one', 'two'], [['eth0', 1, 0, SKB_TYPE.BROADCAST, -14, 0, 'who has']]]);
  const newer = new FakeHandler();
  await host.load('ip2', { handlers: [newer] });
  receive(host, device, frame('three'));
  expect([ip.got, newer.got]).toEqual([['one', 'two'], ['three']]);
  await host.run(host.kernel.unload('ip2'));
  receive(host, device, frame('four'));
  expect(ip.got).toEqual(['one', 'two', 'four']);
  expect([host.skbsOut(), host.drops()]).toEqual([0, {}]);
});

test('dropped, each with its reason: no handler, another host, a foreign VLAN, 802.3, cut off, a device that is down', async () => {
  const { host, device, ip } = await boot();
  await host.load('ip', { handlers: [ip] });
  receive(host, device, frame('x', { ethertype: 0x9999 }), frame('x', { to: PEER_MAC }));
  receive(host, device, frame('x', { tag: [0x81, 0, 0, 7] }), frame('x', { ethertype: 40 }));
  receive(host, device, frame('').slice(0, 13), new Uint8Array(0), frame('', { ethertype: 0x8100 }));
  host.devices().close(device);
  receive(host, device, frame('x'));
  expect(ip.got).toEqual([]);
  expect(host.drops()).toEqual({
    ...{ 'netdev.ethertype': 1, 'netdev.otherhost': 1, 'netdev.vlan': 1, 'netdev.link-header': 4, 'netdev.down': 1 },
  });
  expect([device.stats.rxDropped, device.stats.rxErrors, host.skbsOut()]).toEqual([3, 4, 0]);
});

test('VLANs: a tag goes to the handler of its TPID; one of VLAN 0 is a priority, and no obstacle', async () => {
  const { host, device, ip } = await boot();
  const tags: number[] = [];
  const vlan: EthertypeHandler = {
    ...{ name: 'vlan', ethertype: ETHERTYPE.VLAN, dissect: null, gro: null, segment: null },
    input: (skb) => {
      tags.push(skb.vlan, skb.protocol);
      skb.memory.pool.release(skb);
    },
  };
  await host.load('ip', { handlers: [ip] });
  const { input } = ip;
  ip.input = (skb, from) => {
    expect(skb.vlan).toBe(0);
    input.call(ip, skb, from);
  };
  receive(host, device, frame('prio', { tag: [0x81, 0, 0xa0, 0] }));
  await host.load('vlan', { handlers: [vlan] });
  receive(host, device, frame('seven', { tag: [0x81, 0, 0xa0, 7] }));
  expect([ip.got, tags]).toEqual([['prio'], [0x8100a007 | 0, ETHERTYPE.IPV4]]);
});

test('taps see what they asked for, before hooks, also what is dropped then', async () => {
  const { host, device, ip } = await boot();
  const other = plug(host, new FakeDriver(host), 'eth1');
  const seen: string[] = [];
  const tap = (name: string, ethertype: number, ifindex: number): Tap => ({
    ...{ ethertype, ifindex },
    tap: (skb) => void seen.push(`${name} ${textOf(skb)} ${skb.network - skb.mac}`),
  });
  await host.load('ip', { handlers: [ip] });
  await host.load('taps', {
    taps: [tap('all', ETHERTYPE.ALL, 0), tap('arp', ETHERTYPE.ARP, 0), tap('eth1', ETHERTYPE.ALL, other.ifindex)],
  });
  await host.load('hook', { hooks: [deviceHook(HOOK_POINT.INGRESS, () => VERDICT.DROP)] });
  receive(host, device, frame('a'), frame('b', { ethertype: ETHERTYPE.ARP }));
  receive(host, other, frame('c', { to: PEER_MAC }));
  expect(seen).toEqual(['all a 14', 'all b 14', 'arp b 14', 'all c 14', 'eth1 c 14']);
  expect([ip.got, host.skbsOut()]).toEqual([[], 0]);
});

test('ingress hooks: drop under their own reason, steal, give back; not when the module has gone', async () => {
  const { host, device, ip } = await boot();
  const loot: [Skb, HookChain][] = [];
  const reason = new DropReason(99, 'test.drop', '');
  const thief = deviceHook(
    HOOK_POINT.INGRESS,
    (skb, chain, input, output) => {
      expect([input, output]).toEqual([device, null]);
      if (textOf(skb) === 'bad') return VERDICT.DROP;
      loot.push([skb, chain]);
      return VERDICT.STOLEN;
    },
    reason,
  );
  await host.load('ip', { handlers: [ip] });
  await host.load('thief', { hooks: [thief] });
  receive(host, device, frame('bad'), frame('good'), frame('late'));
  expect([ip.got, reason.count, loot.length]).toEqual([[], 1, 2]);
  const giveBack = ([skb, chain]: [Skb, HookChain]) => resumeHooks(chain, thief, skb, device, null);
  giveBack(loot[0]!);
  expect(ip.got).toEqual(['good']);
  host.devices().unregister(device);
  await host.run(host.kernel.unload('netdev'));
  giveBack(loot[1]!);
  expect([ip.got, host.skbsOut()]).toEqual([['good'], 0]);
});

test('a link layer or a tap that throws: the packet is dropped with a reason, the rest is still the driver’s', async () => {
  const { host, device, ip } = await boot();
  await host.load('ip', { handlers: [ip] });
  const { link } = device;
  const batch = new SkbQueue();
  const fail = (): never => {
    throw new Error('oops');
  };
  for (const text of ['one', 'two', 'three']) enqueue(batch, packet(host, frame(text)));
  device.link = { ...link, read: fail };
  expect(() => host.traffic().receive(device.rxQueues[0]!, batch)).toThrow('oops');
  device.link = link;
  await host.load('tap', { taps: [{ ethertype: ETHERTYPE.ALL, ifindex: 0, tap: fail }] });
  expect(() => host.traffic().receive(device.rxQueues[0]!, batch)).toThrow('oops');
  await host.run(host.kernel.unload('tap'));
  host.traffic().receive(device.rxQueues[0]!, batch);
  expect([ip.got, host.drops(), host.skbsOut()]).toEqual([['three'], { 'netdev.fault': 2 }, 0]);
});

test('a handler that throws: its packet is its own business, the rest of the batch goes on', async () => {
  const { host, device, ip } = await boot();
  const bad: EthertypeHandler = {
    ...{ name: 'bad', ethertype: ETHERTYPE.ARP, dissect: null, gro: null, segment: null },
    input: (skb) => {
      skb.memory.pool.release(skb);
      throw new Error('oops');
    },
  };
  await host.load('ip', { handlers: [ip] });
  await host.load('bad', { handlers: [bad] });
  for (const bytes of [frame('one'), frame('x', { ethertype: ETHERTYPE.ARP }), frame('two')])
    host.backlog().receive(packet(host, bytes), device);
  await host.settle();
  expect(ip.got).toEqual(['one', 'two']);
  expect(host.kernel.faults.map(({ module }) => module)).toEqual(['bad#1']);
  expect([host.kernel.holders('netdev'), host.skbsOut(), host.drops()]).toEqual([[], 0, {}]);
});

test('a link header in fragments is gathered', async () => {
  const { host, device, ip } = await boot();
  await host.load('ip', { handlers: [ip] });
  const skb = host.pool().alloc(64, 0)!;
  const page = host.pool().page(100)!;
  const bytes = frame('paged');
  page.memory.bytes.set(bytes, page.offset);
  page.lenBytes = bytes.length;
  appendFragment(skb, page);
  const batch = new SkbQueue();
  enqueue(batch, skb);
  host.traffic().receive(device.rxQueues[0]!, batch);
  expect([ip.got.length, host.drops(), host.skbsOut()]).toEqual([1, {}, 0]);
});

describe('GRO', () => {
  /** 'flow:text'; upper case may not be merged, '!' completes, '?' may not be held. */
  function mergingHandler(): FakeHandler & { finished: number } {
    const handler = Object.assign(new FakeHandler(), { finished: 0 });
    const flow = (skb: Skb) => textOf(skb).split(':')[0];
    handler.gro = {
      begin: (skb, offset) => offset === 0 && !textOf(skb).includes('?'),
      sameFlow: (held, skb) => flow(held) === flow(skb),
      merge: (held, skb) => {
        const text = textOf(skb);
        if (flow(held) !== flow(skb)) return GRO.DIFFERENT;
        if (text !== text.toLowerCase()) return GRO.FLUSH;
        held.gsoSegs = Math.max(1, held.gsoSegs) + 1;
        copyIn(held, new TextEncoder().encode(text.split(':')[1]));
        skb.memory.pool.release(skb);
        return text.includes('!') ? GRO.MERGED_LAST : GRO.MERGED;
      },
      finish: (held) => {
        handler.finished++;
        held.gsoSize = 1;
      },
    };
    return handler;
  }

  async function bootGro() {
    const { host, device } = await boot(DEVICE_FEATURE.GRO);
    const ip = mergingHandler();
    await host.load('ip', { handlers: [ip] });
    const take = (...texts: string[]) => {
      receive(host, device, ...texts.map((text) => frame(text)));
      return ip.got.splice(0);
    };
    return { host, device, ip, take };
  }

  test('merges flows within a batch, up to its end', async () => {
    const { ip, take, host } = await bootGro();
    expect(take('a:1', 'b:1', 'a:2', 'b:2', 'a:3')).toEqual(['a:123', 'b:12']);
    expect(ip.finished).toBe(2);
    expect(take('a:4')).toEqual(['a:4']);
    expect(ip.finished, 'one alone is as it was').toBe(2);
    expect(host.skbsOut()).toBe(0);
  });

  test('nothing overtakes a packet of its flow: FLUSH, MERGED_LAST, and what may not be held', async () => {
    const { take } = await bootGro();
    expect(take('a:1', 'a:2', 'a:X', 'a:3')).toEqual(['a:12', 'a:X', 'a:3']);
    expect(take('a:1', 'b:1', 'a:2!', 'a:3')).toEqual(['a:12!', 'b:1', 'a:3']);
    expect(take('a:1', 'b:1', 'a:?', 'a:2'), 'other flows wait on').toEqual(['a:1', 'a:?', 'b:1', 'a:2']);
  });

  test('holds eight at most: the oldest goes up', async () => {
    const { take } = await bootGro();
    const flows = Array.from({ length: 10 }, (_, i) => `${i}:x`);
    expect(take(...flows, '9:y', '0:y')).toEqual(['0:x', '1:x', '2:x', ...flows.slice(3, 9), '9:xy', '0:y']);
  });

  test('other senders’ frames, tags and addressees are not merged, nor without the feature', async () => {
    const { host, device, ip, take } = await bootGro();
    const other = frame('a:2');
    other[11] = 9;
    receive(host, device, frame('a:1'), other, frame('a:3', { tag: [0x81, 0, 0, 0] }), frame('a:4'));
    expect(ip.got.splice(0), 'nor do they overtake').toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
    device.hardwareFeatures = DEVICE_FEATURE.GRO;
    host.devices().setFeatures(device, 0);
    expect(take('a:1', 'a:2')).toEqual(['a:1', 'a:2']);
  });

  const all = ['a:1', 'a:2', 'b:1'];
  test.each<[string, (ip: FakeHandler) => void, string[], string[]]>([
    ['begin', ({ gro }) => Object.assign(gro!, { begin: fail }), all, ['a:2', 'b:1']],
    [
      'sameFlow',
      ({ gro }) => Object.assign(gro!, { begin: (skb: Skb) => !textOf(skb).includes('2'), sameFlow: fail }),
      all,
      ['a:1', 'b:1'],
    ],
    ['merge', ({ gro }) => Object.assign(gro!, { merge: fail }), all, ['a:1', 'b:1']],
    ['finish, both of what was merged', ({ gro }) => Object.assign(gro!, { finish: fail }), all, ['b:1']],
    ['finish, of what came last', ({ gro }) => Object.assign(gro!, { finish: fail }), ['a:1', 'a:2'], []],
  ])('what throws in %s costs what it was asked about, and nothing is left behind', async (_what, spoil, texts, left) => {
    const { host, device, ip } = await bootGro();
    const { gro } = ip;
    ip.gro = { ...gro! };
    spoil(ip);
    const batch = new SkbQueue();
    for (const text of texts) enqueue(batch, packet(host, frame(text)));
    const act = () => host.traffic().receive(device.rxQueues[0]!, batch);
    expect(act).toThrow('oops');
    expect(host.drops()).toEqual({ 'netdev.fault': 1 });
    ip.gro = gro;
    act();
    expect([ip.got, host.skbsOut(), host.drops()]).toEqual([left, 0, { 'netdev.fault': 1 }]);
  });

  function fail(): never {
    throw new Error('oops');
  }

  test('what came in order leaves in order, and nothing is lost', async () => {
    const { host, device, ip } = await bootGro();
    const one = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'), fc.constantFrom('', '', '', '!', '?', 'X'));
    fc.assert(
      fc.property(fc.array(fc.array(one, { maxLength: 40 }), { maxLength: 3 }), (batches) => {
        let number = 0;
        const texts = batches.map((batch) => batch.map(([flow, mark]) => `${flow}:${mark}${number++},`));
        for (const batch of texts) receive(host, device, ...batch.map((text) => frame(text)));
        const joined = (all: readonly string[]) =>
          [...'abcdefghij'].map((flow) =>
            all
              .filter((text) => text.startsWith(flow))
              .map((text) => text.slice(2))
              .join(''),
          );
        expect(joined(ip.got.splice(0))).toEqual(joined(texts.flat()));
        expect(host.skbsOut()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

test('garbage: nothing is thrown, nothing is left', async () => {
  const { host, device, ip } = await boot();
  await host.load('ip', { handlers: [ip] });
  const start = fc.constantFrom(OUR_MAC, PEER_MAC, ALL_ONES, GROUP);
  const likely = fc.tuple(start, fc.constantFrom(0x0800, 0x8100, 0x88a8, 0x86dd, 3), fc.uint8Array({ maxLength: 20 }));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    likely.map(([to, type, rest]) => Uint8Array.of(...to, ...PEER_MAC, type >> 8, type & 0xff, ...rest)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.nat(40)), { maxLength: 10 }), (frames) => {
      const before = Object.values(host.drops()).reduce((sum, count) => sum + count, 0) + ip.got.length;
      const batch = new SkbQueue();
      for (const [all, inHead] of frames) {
        const skb = packet(host, all.slice(0, inHead));
        if (all.length > inHead) copyPaged(skb, all.slice(inHead));
        enqueue(batch, skb);
      }
      host.traffic().receive(device.rxQueues[0]!, batch);
      const after = Object.values(host.drops()).reduce((sum, count) => sum + count, 0) + ip.got.length;
      expect([after - before, host.skbsOut(), dequeue(batch)]).toEqual([frames.length, 0, null]);
    }),
    { numRuns: 300 },
  );

  function copyPaged(skb: Skb, rest: Uint8Array): void {
    const page = host.pool().page(rest.length)!;
    page.memory.bytes.set(rest, page.offset);
    appendFragment(skb, page);
  }
});
