import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Module, VERDICT } from '@softnet/contract';
import { emitUdp, parseIpv4Packet } from '@softnet/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOST, PEER, RawLink } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.peer.answers = true;
});
afterEach(async () => {
  await link.close();
});

const udp = (payload: Uint8Array): Uint8Array => emitUdp({ srcPort: 9, dstPort: 7, checksum: 0, payload });
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 11 + (i >> 8)) & 0xff);

test('a datagram comes whole, whatever way its pieces came', async () => {
  const user = link.host.open({ family: INET });
  user.bind(HOST, 7);
  let id = 100;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 8, max: 185 }),
      fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
      async (length, units, order) => {
        const payload = bytesOf(length);
        const whole = udp(payload);
        id++;
        const step = Math.max(units * 8, 256);
        const pieces = Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => i * step);
        pieces.sort((a, b) => (order[(a / step) % 10]! % 97) - (order[(b / step) % 10]! % 97));
        for (const from of pieces) {
          const more = from + step < whole.length;
          const flags = { id, moreFragments: more, fragmentOffsetBytes: from };
          link.peer.ip({ ...flags, payload: whole.subarray(from, from + step) });
        }
        await link.net.pass(1);
        expect(user.tryReceive()).toMatchObject({ data: payload, address: PEER, port: 9 });
      },
    ),
    { numRuns: 15 },
  );
  user.close();
  expect(link.skbsOut).toBe(0);
});

test('echoes of any size come back, cut as they must be', async () => {
  for (const lenBytes of [1473, 3000, 65_507]) {
    const payload = bytesOf(lenBytes);
    const request = new Uint8Array(8 + lenBytes);
    request.set(payload, 8);
    const { emitIcmpv4 } = await import('@softnet/wire');
    const message = emitIcmpv4({ type: 8, code: 0, rest: 7, payload });
    for (let from = 0; from < message.length; from += 1480) {
      const part = message.subarray(from, from + 1480);
      link.peer.ip({ id: 5, protocol: 1, fragmentOffsetBytes: from, moreFragments: from + 1480 < message.length, payload: part });
    }
    await link.net.pass(10);
    const parts = link.peer.takeIp().sort((a, b) => a.fragmentOffsetBytes - b.fragmentOffsetBytes);
    const reply = Uint8Array.from(parts.flatMap((part) => [...part.payload]));
    const expected = emitIcmpv4({ type: 0, code: 0, rest: 7, payload });
    expect(Buffer.compare(reply, expected)).toBe(0);
  }
  expect(link.skbsOut).toBe(0);
});

test('a flood of pieces stays within its memory, and the true datagram comes through behind it', async () => {
  const { host, peer, net } = link;
  host.kernel.sysctl.set('net.ipv4.ipfrag_high_thresh', 200_000);
  for (let i = 0; i < 500; i++) {
    peer.ip({ id: i, src: `10.0.0.${(i % 200) + 20}`, moreFragments: true, fragmentOffsetBytes: (i % 7) * 8, payload: new Uint8Array(64) });
    if (i % 50 === 0) await net.pass(1);
  }
  await net.pass(1);
  expect(link.skbsOut).toBeLessThan(100);
  const user = host.open({ family: INET });
  user.bind(HOST, 7);
  const whole = udp(bytesOf(2000));
  peer.ip({ id: 9999, payload: whole.subarray(1000), fragmentOffsetBytes: 1000 });
  peer.ip({ id: 9999, payload: whole.subarray(0, 1000), moreFragments: true });
  await net.pass(1);
  expect(user.tryReceive()).toMatchObject({ address: PEER });
  user.close();
  await net.pass(40_000);
  expect(link.skbsOut).toBe(0);
});

test('time is over: told to the sender where the beginning is there (RFC 1122 §3.3.2)', async () => {
  const { peer, net } = link;
  peer.ip({ id: 1, moreFragments: true, payload: bytesOf(64) });
  peer.ip({ id: 2, fragmentOffsetBytes: 64, payload: bytesOf(64) });
  await net.pass(29_000);
  expect([peer.takeIp(), link.skbsOut]).toEqual([[], 2]);
  await net.pass(2000);
  expect(peer.takeIcmp()).toMatchObject([{ type: 11, code: 1, src: HOST, dst: PEER }]);
  expect(link.skbsOut).toBe(0);
});

test('beyond 65,535 bytes with the header nothing is put together', async () => {
  const options = [{ kind: 148, data: Uint8Array.of(0, 0) }];
  const drops = await link.dropsOf(() => {
    link.peer.ip({ id: 3, fragmentOffsetBytes: 65_512, payload: bytesOf(8) });
    for (let from = 0; from < 65_512; from += 1472) {
      const length = Math.min(1472, 65_512 - from);
      link.peer.ip({ id: 4, options, moreFragments: true, fragmentOffsetBytes: from, payload: new Uint8Array(length) });
    }
    link.peer.ip({ id: 4, options, fragmentOffsetBytes: 65_512, payload: bytesOf(3) });
  }, 10);
  expect(drops).toEqual({ 'ipv4.fragment-too-big': 2 });
  expect(link.skbsOut).toBe(0);
});

test('a mark on one piece is the datagram’s (RFC 3168 §5.3)', async () => {
  const seen: number[] = [];
  @Module({ name: 'test-marks', version: '1.0.0', provides: [Hook] })
  class MarksModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const run = ({ memory, network }: Skb): number => {
        seen.push(memory.view.getUint8(network + 1));
        expect(parseIpv4Packet(memory.bytes, network, 20 + 8)).not.toBe('ipv4.checksum');
        return VERDICT.ACCEPT;
      };
      const at = { family: HOOK_FAMILY.IPV4, point: HOOK_POINT.INPUT, priority: 0 };
      ctx.contribute(Hook, { name: 'marks', ...at, reason: ctx.dropReason('test.marks', ''), run }, 'door');
    }
  }
  await link.net.run(link.host.kernel.load(MarksModule));
  let id = 1;
  const datagram = (...tos: readonly number[]): void => {
    id++;
    for (const [i, each] of tos.entries()) {
      link.peer.ip({
        id,
        tos: each,
        protocol: 17,
        moreFragments: i < tos.length - 1,
        fragmentOffsetBytes: i * 8,
        payload: new Uint8Array(8),
      });
    }
  };
  datagram(0xb8 | 2, 0xb8 | 3, 0xb8 | 2);
  datagram(1, 2);
  datagram(3, 3);
  datagram(0xb8, 0xb8);
  datagram(2, 0);
  await link.net.pass(1);
  expect(seen).toEqual([0xb8 | 3, 1, 3, 0xb8]);
});

test('an identification that comes round is another datagram (ipfrag_max_dist); small pieces of TCP are counted (RFC 1858)', async () => {
  const { peer, net, host } = link;
  const dist = async (limit: number): Promise<Record<string, number>> => {
    host.kernel.sysctl.set('net.ipv4.ipfrag_max_dist', limit);
    return await link.dropsOf(() => {
      peer.ip({ id: 1, moreFragments: true, payload: new Uint8Array(8) });
      for (let i = 0; i < 5; i++) peer.ip({ id: 100 + i, moreFragments: true, payload: new Uint8Array(8) });
      peer.ip({ id: 1, fragmentOffsetBytes: 8, protocol: 253, payload: new Uint8Array(8) });
      peer.ip({ id: 1, fragmentOffsetBytes: 8, payload: new Uint8Array(8) });
    });
  };
  expect(await dist(5)).toMatchObject({ 'ipv4.fragment-distance': 1 });
  await net.pass(31_000);
  expect(await dist(0)).not.toHaveProperty('ipv4.fragment-distance');
  const tiny = (): number => host.kernel.counters().find(({ name }) => name.endsWith('tiny-fragments'))!.value;
  const before = tiny();
  for (const [from, lenBytes] of [
    [0, 8],
    [0, 16],
    [8, 8],
    [16, 8],
  ] as const)
    peer.ip({ id: 7 + from + lenBytes, protocol: 6, moreFragments: true, fragmentOffsetBytes: from, payload: new Uint8Array(lenBytes) });
  await net.pass(1);
  expect(tiny() - before).toBe(2);
  await net.pass(31_000);
});

test('what waits is let go of when the module leaves', async () => {
  link.peer.ip({ id: 1, moreFragments: true, payload: bytesOf(64) });
  await link.net.pass(1);
  expect(link.skbsOut).toBe(1);
  for (const name of ['udp', 'ipv4']) await link.net.run(link.host.kernel.unload(name));
  expect(link.skbsOut).toBe(0);
});
