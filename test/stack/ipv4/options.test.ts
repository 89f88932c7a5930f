import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, Module, RouterAlert } from '@softnet/contract';
import type { DatagramUser } from '@softnet/testkit';
import type { HeaderOption } from '@softnet/wire';
import { emitUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, EVERYBODY, HOST, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
const FAR = '10.0.5.9';
const FAR_HOST = '10.0.5.1';
const [ROUTE, TIMES, LOOSE, STRICT, ALERT] = [7, 68, 131, 137, 148];
const HERE = [10, 0, 0, 1];
const THERE = [10, 0, 5, 1];

let link: RawLink;
let far: RawPeer;
beforeEach(async () => {
  link = await RawLink.open();
  far = await addPeer(link.net, link.host, 'eth1', [`${FAR_HOST}/24`]);
  link.host.kernel.sysctl.set('net.ipv4.ip_forward', true);
  await link.peer.introduce(link.net);
  link.peer.answers = true;
  far.arp({ sender: word(FAR), target: word(FAR_HOST) }, far.mac);
  await link.net.pass(1);
  far.frames.length = 0;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = (payloadBytes = 4): Uint8Array => emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: new Uint8Array(payloadBytes) });
const option = (kind: number, ...data: readonly number[]): HeaderOption => ({ kind, data: Uint8Array.from(data) });
const plain = (options: readonly HeaderOption[]): number[][] => options.map(({ kind, data }) => [kind, ...data]);
/** ms of the kernel, and that they are not the time of day: RFC 791's high bit. */
const isTime = ([first, ...rest]: readonly number[]): boolean => rest.length === 3 && first! >= 0x80 && rest.some((byte) => byte !== 0);

async function forwarded(options: readonly HeaderOption[], packet = {}): Promise<number[][]> {
  link.peer.ip({ dst: FAR, options, payload: udp(), ...packet });
  await link.net.pass(1);
  const packets = far.takeIp();
  expect(packets).toHaveLength(1);
  return plain(packets[0]!.options);
}

describe('a packet that is passed on says that it was here (RFC 1812 §5.3.13)', () => {
  test('by the address that it leaves by', async () => {
    expect(await forwarded([option(ROUTE, 4, 0, 0, 0, 0, 0, 0, 0, 0)])).toEqual([[ROUTE, 8, ...THERE, 0, 0, 0, 0]]);
    expect(await forwarded([option(ROUTE, 8, 1, 2, 3, 4)])).toEqual([[ROUTE, 8, 1, 2, 3, 4]]);
  });

  test('by time, in three forms, and that there was no room', async () => {
    const [times] = await forwarded([option(TIMES, 5, 0, 0, 0, 0, 0)]);
    expect([times!.slice(0, 3), isTime(times!.slice(3))]).toEqual([[TIMES, 9, 0], true]);
    const [both] = await forwarded([option(TIMES, 5, 1, ...new Array(8).fill(0))]);
    expect([both!.slice(0, 7), isTime(both!.slice(7))]).toEqual([[TIMES, 13, 1, ...THERE], true]);
    const [asked] = await forwarded([option(TIMES, 5, 3, ...HERE, 0, 0, 0, 0)]);
    expect([asked!.slice(0, 7), isTime(asked!.slice(7))]).toEqual([[TIMES, 13, 3, ...HERE], true]);
    expect(await forwarded([option(TIMES, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0)])).toEqual([[TIMES, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0]]);
    expect(await forwarded([option(TIMES, 9, 0xe0, 1, 2, 3, 4)])).toEqual([[TIMES, 9, 0xf0, 1, 2, 3, 4]]);
  });

  test('but not in what it does not know, nor twice where it is cut', async () => {
    const { Devices } = await import('@softnet/contract');
    link.host.kernel.port(Devices).current.setMtu(link.host.device('eth1'), 500);
    link.peer.ip({ dst: FAR, options: [option(ROUTE, 4, 0, 0, 0, 0), option(222, 1)], payload: udp(1000) });
    await link.net.pass(1);
    expect(far.takeIp().map(({ options }) => plain(options).filter(([kind]) => kind !== 1))).toEqual([
      [
        [ROUTE, 8, ...THERE],
        [222, 1],
      ],
      [[222, 1]],
      [[222, 1]],
    ]);
  });
});

test('a packet for this host says that it has come', async () => {
  const user = link.host.open({ family: INET });
  user.bind(HOST, 99);
  link.peer.icmp({}, { options: [option(ROUTE, 4, 0, 0, 0, 0, 0, 0, 0, 0)] });
  link.peer.ip({ options: [option(TIMES, 5, 1, ...new Array(16).fill(0))], payload: udp() });
  await link.net.pass(1);
  expect(user.tryReceive()).toMatchObject({ address: PEER });
  user.close();
});

describe('router alert (RFC 2113)', () => {
  @Module({ name: 'test-alert', version: '1.0.0', provides: [RouterAlert] })
  class AlertModule implements SoftnetModule {
    static seen = 0;
    start(ctx: ModuleContext): void {
      const reason = ctx.dropReason('test.examined', 'the test has looked at it');
      const take = (skb: Skb): boolean => {
        AlertModule.seen++;
        skb.memory.pool.drop(skb, reason);
        return true;
      };
      ctx.contribute(RouterAlert, { family: ADDRESS_FAMILY.INET, protocol: 46, take }, 'corridor');
    }
  }

  test('is for who has asked, of that protocol; all else goes on', async () => {
    await link.net.run(link.host.kernel.load(AlertModule));
    const options = [option(ALERT, 0, 0)];
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, protocol: 46, options }))).toEqual({ 'test.examined': 1 });
    expect(AlertModule.seen).toBe(1);
    expect(await forwarded(options)).toEqual([[ALERT, 0, 0]]);
    expect(await forwarded([option(ALERT, 0, 1)], { protocol: 46 })).toEqual([[ALERT, 0, 1]]);
    expect(AlertModule.seen).toBe(1);
    await link.net.run(link.host.kernel.unload('test-alert'));
    expect(await forwarded(options, { protocol: 46 })).toEqual([[ALERT, 0, 0]]);
  });
});

describe('source routes, where they are allowed (RFC 1812 §5.3.13.3, §5.3.13.4)', () => {
  beforeEach(() => {
    for (const of of ['all', 'eth0']) link.host.kernel.sysctl.set(`net.ipv4.conf.${of}.accept_source_route`, 1);
  });

  test.each([LOOSE, STRICT])('%i: the next hop is the destination, and the place has the way back', async (kind) => {
    link.peer.ip({ dst: HOST, options: [option(kind, 4, 10, 0, 5, 9, 192, 0, 2, 7)], payload: udp() });
    await link.net.pass(1);
    expect(far.takeIp()).toMatchObject([{ dst: FAR, ttl: 63, options: [option(kind, 8, ...THERE, 192, 0, 2, 7)] }]);
  });

  test('hops that are this host’s own are gone at once', async () => {
    link.peer.ip({ dst: HOST, options: [option(LOOSE, 4, ...THERE, ...HERE, 10, 0, 5, 9)], payload: udp() });
    await link.net.pass(1);
    expect(far.takeIp()).toMatchObject([{ dst: FAR, options: [option(LOOSE, 16, ...THERE, ...HERE, ...THERE)] }]);
  });

  test('one at its end is for this host; a loose one for others passes', async () => {
    const user = link.host.open({ family: INET });
    user.bind(HOST, 99);
    link.peer.ip({ options: [option(LOOSE, 8, 10, 0, 0, 7)], payload: udp() });
    await link.net.pass(1);
    expect(user.tryReceive()).toMatchObject({ address: PEER });
    expect(await forwarded([option(LOOSE, 4, 192, 0, 2, 7)])).toEqual([[LOOSE, 4, 192, 0, 2, 7]]);
    user.close();
  });

  test.each([
    ['a next hop without a way', { options: [option(LOOSE, 4, 192, 0, 2, 7)] }, 'ipv4.source-route-failed', { type: 3, code: 5 }],
    ['a next hop that is none', { options: [option(LOOSE, 4, 10, 0, 5, 255)] }, 'ipv4.source-route-failed', { type: 3, code: 5 }],
    ['a strict one for others', { dst: FAR, options: [option(STRICT, 4, 10, 0, 0, 9)] }, 'ipv4.source-route', { type: 12, rest: 16 << 24 }],
  ])('%s is refused', async (_, packet, reason, told) => {
    expect(await link.dropsOf(() => link.peer.ip({ payload: udp(), ...packet }))).toEqual({ [reason]: 1 });
    expect(link.peer.takeIcmp()).toMatchObject([told]);
    expect(far.takeIp()).toEqual([]);
  });

  test('a strict hop behind a gateway is refused, a loose one not', async () => {
    link.host.addRoute('192.0.2.0/24', { via: FAR });
    link.peer.ip({ options: [option(LOOSE, 4, 192, 0, 2, 7)], payload: udp() });
    await link.net.pass(1);
    expect(far.takeIp()).toMatchObject([{ dst: '192.0.2.7' }]);
    const strict = { options: [option(STRICT, 4, 192, 0, 2, 7)], payload: udp() };
    expect(await link.dropsOf(() => link.peer.ip(strict))).toEqual({ 'ipv4.source-route-failed': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 5 }]);
  });

  test('in a frame to all nobody follows one', async () => {
    for (const dst of [HOST, '10.0.0.255']) {
      link.peer.ip({ dst, options: [option(LOOSE, 4, 10, 0, 5, 9)], payload: udp() }, EVERYBODY);
    }
    await link.net.pass(1);
    expect(far.takeIp()).toEqual([]);
  });
});

describe('IP_OPTIONS of a socket (RFC 1122 §4.1.3.2)', () => {
  const set = (user: DatagramUser, ...bytes: readonly number[]): number =>
    user.sock.ops.calls!.setOption(user.sock, 0, 4, Uint8Array.from(bytes));
  const get = (user: DatagramUser): number[] => {
    const value = new Uint8Array(40);
    const length = user.sock.ops.calls!.getOption(user.sock, 0, 4, value);
    return length < 0 ? [length] : [...value.subarray(0, length)];
  };

  test('each packet has them, the first piece all and the others what is to be copied', async () => {
    const user = link.host.open({ family: INET });
    const options = [ROUTE, 7, 4, 0, 0, 0, 0, ALERT, 4, 0, 0];
    expect([get(user), set(user, ...options), get(user)]).toEqual([[], 0, options]);
    user.connect(PEER, 9);
    await link.net.run(user.send(Uint8Array.of(1, 2, 3)));
    await link.net.run(user.send(new Uint8Array(3000)));
    expect([set(user), get(user)]).toEqual([0, []]);
    await link.net.run(user.send(new Uint8Array(1)));
    await link.net.pass(1);
    const whole = [
      [ROUTE, 8, ...HERE],
      [ALERT, 0, 0],
    ];
    const packets = link.peer.takeIp();
    const copied = [[ALERT, 0, 0]];
    expect(packets.map((p) => plain(p.options).filter(([kind]) => kind !== 1))).toEqual([whole, whole, copied, copied, []]);
    expect(packets.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(11 + 3008 + 9);
    user.close();
  });

  test('a source route goes by its first hop', async () => {
    const user = link.host.open({ family: INET });
    link.host.addRoute('192.0.2.0/24', { via: FAR });
    set(user, LOOSE, 11, 4, 10, 0, 0, 9, 10, 0, 5, 9);
    user.connect('192.0.2.9', 9);
    await link.net.run(user.send(Uint8Array.of(1)));
    await link.net.pass(1);
    expect(link.peer.takeIp()).toMatchObject([{ dst: PEER, options: [option(LOOSE, 4, 10, 0, 5, 9, 192, 0, 2, 9)] }]);
    set(user, STRICT, 7, 4, 198, 51, 100, 7);
    await expect(link.net.run(user.send(Uint8Array.of(1)))).rejects.toMatchObject({ code: 'ENETUNREACH' });
    user.close();
  });

  test('what is no option is refused, and what was set stays', () => {
    const user = link.host.open({ family: INET });
    set(user, ALERT, 4, 0, 0);
    for (const bytes of [[ROUTE, 9, 4], new Array(41).fill(1), [LOOSE, 3, 4]]) expect(set(user, ...bytes)).toBe(-22);
    expect(get(user)).toEqual([ALERT, 4, 0, 0]);
    expect(user.sock.ops.calls!.getOption(user.sock, 0, 4, new Uint8Array(2))).toBe(-22);
    user.close();
  });
});
