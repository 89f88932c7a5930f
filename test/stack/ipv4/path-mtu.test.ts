import { emitIpv4Packet } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PEER, RawLink } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.peer.answers = true;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

/** A connected socket that sends with a policy of IP_MTU_DISCOVER, and a router that says what fits. */
function flow(policy?: number) {
  const { net, host, peer } = link;
  const user = host.open({ family: INET });
  user.connect(PEER, 9);
  const { sock } = user;
  const { calls } = sock.ops;
  if (policy !== undefined) calls!.setOption(sock, 0, 10, Uint8Array.of(policy));
  const send = async (lenBytes: number) => {
    const result = user.trySend(new Uint8Array(lenBytes));
    await net.pass(1);
    return result < 0 ? result : peer.takeIp().map(({ payload, dontFragment }) => `${payload.length + 20}${dontFragment ? ' DF' : ''}`);
  };
  /** What the next call says of it. */
  const tooBig = async (mtuBytes: number, lenBytes = 1400) => {
    user.trySend(new Uint8Array(lenBytes));
    await net.pass(1);
    const [packet] = peer.takeIp();
    peer.icmp({ type: 3, code: 4, rest: mtuBytes, payload: emitIpv4Packet(packet!).subarray(0, 28) }, { src: '10.0.0.9' });
    await net.pass(1);
    return user.tryReceive();
  };
  const mtu = (): number => {
    const value = new Uint8Array(4);
    calls!.getOption(sock, 0, 14, value);
    return value[0]! | (value[1]! << 8);
  };
  return { user, send, tooBig, mtu };
}
const EMSGSIZE = -90;

test('DO: what does not fit is refused from then on, what fits is sent', async () => {
  const { user, send, tooBig, mtu } = flow(2);
  expect(await tooBig(1000)).toBe(EMSGSIZE);
  expect(mtu()).toBe(1000);
  expect(await send(973)).toBe(EMSGSIZE);
  expect(await send(972)).toEqual(['1000 DF']);
  user.close();
});

test('a report never raises it, and it is forgotten in time (RFC 1191 §6.3)', async () => {
  const { user, send, tooBig, mtu } = flow();
  await tooBig(800);
  await tooBig(1200, 700);
  expect(mtu()).toBe(800);
  await link.net.pass(601_000);
  link.peer.arp({}, link.peer.mac);
  await link.net.pass(1);
  expect(await send(1400)).toEqual(['1428 DF']);
  user.close();
});

test('a router that does not say how much: the next plateau below what was sent (RFC 1191 §7.1)', async () => {
  const { user, tooBig, mtu } = flow();
  await tooBig(0);
  expect(mtu()).toBe(1006);
  await tooBig(0, 900);
  expect(mtu()).toBe(552);
  user.close();
});

test('a path that is said to be narrower than 552 gets pieces of that, without DF (Linux)', async () => {
  const { user, send, tooBig, mtu } = flow();
  await tooBig(68);
  expect(mtu()).toBe(552);
  expect(await send(100)).toEqual(['128']);
  expect(await send(900)).toEqual(['548', '400']);
  user.close();
  link.host.kernel.sysctl.set('net.ipv4.route.min_pmtu', 68);
  const other = flow();
  await other.tooBig(300, 500);
  expect(other.mtu()).toBe(300);
  other.user.close();
});

test('of a socket without a peer too; others of the same destination go by it', async () => {
  const { net, host, peer } = link;
  const user = host.open({ family: INET });
  await net.run(user.send(new Uint8Array(1400), PEER, 9));
  await net.pass(1);
  const [packet] = peer.takeIp();
  peer.icmp({ type: 3, code: 4, rest: 700, payload: emitIpv4Packet(packet!).subarray(0, 28) });
  await net.pass(1);
  const { send, user: other } = flow();
  expect(await send(900)).toEqual(['700', '248']);
  other.close();
  user.close();
  // Nobody has this port any more: who writes such a message now is not believed.
  peer.icmp({ type: 3, code: 4, rest: 600, payload: emitIpv4Packet(packet!).subarray(0, 28) });
  await net.pass(1);
  const late = flow();
  expect(late.mtu()).toBe(700);
  late.user.close();
});

test('of a ping', async () => {
  const { net, host, peer } = link;
  const user = host.open({ family: INET, protocol: 1 });
  const request = new Uint8Array(1008);
  request[0] = 8;
  await net.run(user.send(request, PEER));
  await net.pass(1);
  const [packet] = peer.takeIp();
  peer.icmp({ type: 3, code: 4, rest: 900, payload: emitIpv4Packet(packet!).subarray(0, 28) });
  await net.pass(1);
  const { mtu, user: other } = flow();
  expect(mtu()).toBe(900);
  other.close();
  user.close();
});
