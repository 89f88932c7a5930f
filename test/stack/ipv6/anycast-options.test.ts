import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { G, mreq, set } from './group-values.ts';
import { HOST_LINK, RawPeer } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
const ANYCAST = 'fd00::aaaa';
const { JOIN_ANYCAST, LEAVE_ANYCAST } = G;

let peer: RawPeer;
let ifindex: number;
beforeEach(async () => {
  peer = await RawPeer.boot();
  ({ ifindex } = peer.host.device('eth0'));
});
afterEach(() => peer.end());

const open = () => peer.host.open({ family: INET6 });
/** Does the host answer there: an echo, and a solicitation? */
async function answers(dst = ANYCAST): Promise<string[]> {
  peer.icmp({ type: 128 }, { dst });
  peer.solicit({ target: dst }, { dst: `ff02::1:ff00:${dst.slice(-4)}` });
  const said = (await peer.messages(2000)).map((each) => each.split(' ')[0]!);
  return said.filter((each) => each === '129' || each === '136').sort();
}

test('the address is the host’s while a socket wants it: echoes and solicitations are answered', async () => {
  const [a, b] = [open(), open()];
  expect(await answers()).toEqual([]);
  expect([a, b].map((user) => set(user, JOIN_ANYCAST, mreq(ANYCAST, ifindex)))).toEqual([0, 0]);
  expect(await answers()).toEqual(['129', '136']);
  expect(set(a, LEAVE_ANYCAST, mreq(ANYCAST))).toBe(0);
  expect(await answers()).toEqual(['129', '136']);
  b.close();
  expect(await answers()).toEqual([]);
  a.close();
});

test.each(['handover', 'drain', 'beside'] as const)('by %s the next generation has it too, and it goes with its device', async (mode) => {
  const user = open();
  user.connect('fd00::2', 9);
  expect(set(user, JOIN_ANYCAST, mreq(ANYCAST, ifindex))).toBe(0);
  const { net, host } = peer;
  let drained: PromiseLike<unknown>;
  if (mode === 'beside') {
    await net.run(host.kernel.load(Ipv4Module));
    const unload = host.kernel.unload('ipv6');
    drained = unload.report;
    await net.pass(1);
    expect([host.kernel.module('ipv6')?.state, await answers()]).toEqual(['draining', ['129', '136']]);
    await net.run(host.kernel.load(Ipv6Module));
  } else ({ drained } = await net.run(host.kernel.replace('ipv6', Ipv6Module, { mode })));
  expect(await answers()).toEqual(['129', '136']);
  // The old one goes as its socket goes by the new one.
  user.trySend(new Uint8Array(1));
  expect(await net.run(drained)).toMatchObject({ leaks: [], faults: [] });
  expect(await answers()).toEqual(['129', '136']);
  host.setMtu('eth0', 1000);
  host.setMtu('eth0', 1500);
  host.addAddress('eth0', 'fd00::1/64');
  expect(set(user, LEAVE_ANYCAST, mreq(ANYCAST))).toBe(-ERRNO.ENOENT);
  user.close();
});

test('what options answer: a host takes addresses of its links’ prefixes, a router any', () => {
  const user = open();
  const join = (address: string, at = ifindex): number => set(user, JOIN_ANYCAST, mreq(address, at));
  expect([join('ff02::5'), join('fd00::1'), join(HOST_LINK), join(ANYCAST, 99)]).toEqual([
    -ERRNO.EINVAL,
    -ERRNO.EINVAL,
    -ERRNO.EINVAL,
    -ERRNO.ENODEV,
  ]);
  expect([join('fd99::1'), join('fd99::1', 0), set(user, JOIN_ANYCAST, new Uint8Array(19))]).toEqual([
    -ERRNO.EADDRNOTAVAIL,
    -ERRNO.EADDRNOTAVAIL,
    -ERRNO.EINVAL,
  ]);
  expect(join(ANYCAST, 0)).toBe(0);
  peer.host.kernel.sysctl.set('net.ipv6.conf.eth0.forwarding', true);
  expect(join('fd99::1')).toBe(0);
  expect(set(user, LEAVE_ANYCAST, mreq('fd98::1', ifindex))).toBe(-ERRNO.ENOENT);
  peer.host.kernel.sysctl.set('net.ipv6.mld_max_memberships', 2);
  expect(join('fd99::2')).toBe(-ERRNO.ENOBUFS);
  user.close();
});
