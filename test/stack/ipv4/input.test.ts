import { emitIpv4Packet, emitUdp, parseUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVERYBODY, HOST, ipv4, PEER, RawLink } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = (dstPort = 7, payload = new Uint8Array(4)): Uint8Array => emitUdp({ srcPort: 9, dstPort, checksum: 0, payload });
describe('what is for this host', () => {
  test.each([HOST, '10.0.0.255', '255.255.255.255', '224.0.0.1'])('comes by %s, without padding', async (dst) => {
    const user = link.host.open({ family: INET });
    user.bind('0.0.0.0', 7);
    const packet = emitIpv4Packet(ipv4({ dst, payload: udp(7, Uint8Array.of(5, 6)) }));
    const padded = new Uint8Array(46);
    padded.set(packet);
    const to = dst === HOST ? link.peer.mac : dst === '224.0.0.1' ? '01:00:5e:00:00:01' : EVERYBODY;
    expect(await link.dropsOf(() => link.peer.frame(padded, 0x800, to))).toEqual({});
    expect(user.tryReceive()).toMatchObject({ data: Uint8Array.of(5, 6), address: PEER, port: 9 });
    user.close();
  });

  test('and has no address yet, may ask all', async () => {
    const user = link.host.open({ family: INET });
    user.bind('0.0.0.0', 67);
    link.peer.ip({ src: '0.0.0.0', dst: '255.255.255.255', payload: udp(67) }, EVERYBODY);
    await link.net.pass(1);
    expect(user.tryReceive()).toMatchObject({ address: '0.0.0.0' });
    user.close();
  });

  test('options pass, but for those that choose a way', async () => {
    const user = link.host.open({ family: INET });
    user.bind(HOST, 7);
    const alert = { kind: 148, data: Uint8Array.of(0, 0) };
    const timestamp = { kind: 68, data: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    link.peer.ip({ options: [alert, timestamp], payload: udp() });
    await link.net.pass(1);
    expect(user.tryReceive()).toMatchObject({ address: PEER });
    for (const kind of [131, 137]) {
      const options = [{ kind, data: Uint8Array.of(4, 10, 0, 0, 7) }];
      expect(await link.dropsOf(() => link.peer.ip({ options, payload: udp() }))).toEqual({ 'ipv4.source-route': 1 });
    }
    expect(link.peer.takeIp()).toEqual([]);
    user.close();
  });
});

test('what is sent has a header that says the truth', async () => {
  const user = link.host.open({ family: INET });
  user.connect(PEER, 9);
  await link.net.run(user.send(Uint8Array.of(1, 2, 3)));
  await link.net.run(user.send(new Uint8Array(3000)));
  await link.net.pass(1);
  const [small, ...pieces] = link.peer.takeIp();
  expect(small).toMatchObject({ src: HOST, dst: PEER, ttl: 64, tos: 0, id: 0, dontFragment: true, protocol: 17 });
  expect(parseUdp(small!.payload, 0, small!.payload.length)).toMatchObject({ dstPort: 9, payload: Uint8Array.of(1, 2, 3) });
  expect(pieces.map((p) => [p.fragmentOffsetBytes, p.payload.length, p.moreFragments, p.dontFragment])).toEqual([
    [0, 1480, true, false],
    [1480, 1480, true, false],
    [2960, 48, false, false],
  ]);
  expect(new Set(pieces.map(({ id }) => id)).size).toBe(1);
  user.close();
});

describe('options of SOL_IP', () => {
  const int = (value: number): Uint8Array => Uint8Array.of(value, value >> 8, value >> 16, value >> 24);

  test('TTL, TOS and path MTU discovery are what packets say', async () => {
    const user = link.host.open({ family: INET });
    const calls = user.sock.ops.calls!;
    for (const [name, value] of [
      [2, 7],
      [1, 0xb8],
      [10, 0],
    ] as const)
      expect(calls.setOption(user.sock, 0, name, int(value))).toBe(0);
    user.connect(PEER, 9);
    await link.net.run(user.send(Uint8Array.of(1)));
    await link.net.pass(1);
    expect(link.peer.takeIp()).toMatchObject([{ ttl: 7, tos: 0xb8, dontFragment: false }]);
    const value = new Uint8Array(4);
    expect([calls.getOption(user.sock, 0, 2, value), value[0]]).toEqual([4, 7]);
    expect([calls.getOption(user.sock, 0, 14, value), value[0]! | (value[1]! << 8)]).toEqual([4, 1500]);
    user.close();
  });

  test('DO: what does not fit is refused', async () => {
    const user = link.host.open({ family: INET });
    const calls = user.sock.ops.calls!;
    calls.setOption(user.sock, 0, 10, int(2));
    user.connect(PEER, 9);
    await expect(link.net.run(user.send(new Uint8Array(1473)))).rejects.toMatchObject({ code: 'EMSGSIZE' });
    await link.net.run(user.send(new Uint8Array(1472)));
    await link.net.pass(1);
    expect(link.peer.takeIp()).toMatchObject([{ dontFragment: true }]);
    user.close();
  });

  test('what is no value, or no option, is refused', () => {
    const user = link.host.open({ family: INET });
    const calls = user.sock.ops.calls!;
    expect(calls.setOption(user.sock, 0, 2, int(0))).toBe(-22);
    expect(calls.setOption(user.sock, 0, 2, int(256))).toBe(-22);
    expect(calls.setOption(user.sock, 0, 10, int(6))).toBe(-22);
    expect(calls.setOption(user.sock, 0, 2, new Uint8Array(0))).toBe(-22);
    expect(calls.setOption(user.sock, 0, 999, int(1))).toBe(-92);
    expect(calls.getOption(user.sock, 0, 999, new Uint8Array(4))).toBe(-92);
    expect(calls.getOption(user.sock, 0, 14, new Uint8Array(4))).toBe(-107);
    user.close();
  });
});
