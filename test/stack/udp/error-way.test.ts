import type { Message, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, Devices, ERRNO, IP_OPTION, IPV6_OPTION, MESSAGE_FLAG, Message as Msg, SOL } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { controls, int, ip } from './control.ts';
import { address, textOf } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { EHOSTUNREACH, ECONNREFUSED, EMSGSIZE } = ERRNO;
const payload = [...new TextEncoder().encode('over a router')];

let net: Net;
let host: NetHost;
let router: NetHost;
let last: NetHost;

/** A host, a router, and a host: 10.0.1.0/24 and 10.0.2.0/24, 2001:db8:1::/64 and 2001:db8:2::/64. */
beforeEach(async () => {
  net = new Net({ seed: 9, modules: HOST_STACK });
  [host, router, last] = [await net.host('host'), await net.host('router'), await net.host('last')];
  router.kernel.sysctl.set('net.ipv4.ip_forward', true);
  router.kernel.sysctl.set('net.ipv6.conf.all.forwarding', 1);
  const ends = (at: NetHost, device: string, link: number, end: number) => ({
    ...{ host: at, device },
    addresses: [`10.0.${link}.${end}/24`, `2001:db8:${link}::${end}/64`],
  });
  await net.join(ends(host, 'eth0', 1, 2), ends(router, 'eth0', 1, 1));
  await net.join(ends(router, 'eth1', 2, 1), ends(last, 'eth0', 2, 2));
  host.addRoute('default', { via: '10.0.1.1' });
  last.addRoute('default', { via: '10.0.2.1' });
  host.addRoute('::/0', { via: '2001:db8:1::1' });
  last.addRoute('::/0', { via: '2001:db8:2::1' });
  await net.pass(4000);
});
afterEach(async () => {
  await net.dispose();
});

function send(sock: SockCommon, to: string, type: number, hops: number, data = payload): number {
  const message = new Msg();
  message.data = Uint8Array.from(data);
  message.hasAddress = true;
  message.address = address(to, sock.family);
  message.control = hops === 0 ? null : controls([[sock.family === INET ? SOL.IP : SOL.IPV6, type, int(hops)]]);
  return sock.ops.calls!.send(sock, message);
}

/** errno, origin, type, code, info; who says so; about a packet to whom, with which payload. Null: nothing waits. */
function report(sock: SockCommon): unknown {
  const message: Message = new Msg();
  message.data = new Uint8Array(2000);
  message.flags = MESSAGE_FLAG.ERRQUEUE;
  const count = sock.ops.calls!.receive(sock, message);
  if (count < 0) return null;
  const { data } = message.control!;
  const view = new DataView(data.buffer, data.byteOffset);
  return {
    what: [view.getInt32(0, true), data[4], data[5], data[6], view.getInt32(8, true)],
    who: [...(sock.family === INET ? data.subarray(20, 24) : data.subarray(24, 40))],
    to: textOf(message.address),
    payload: [...message.data.subarray(0, count)],
  };
}

// What Linux has in `sock_extended_err`: ip(7), ipv6(7).
test.each([
  {
    ...{
      family: INET,
      to: '10.0.2.2',
      router: '10.0.1.1',
      near: '10.0.1.99',
      own: '10.0.1.2',
      level: SOL.IP,
      wants: IP_OPTION.RECVERR,
      hops: IP_OPTION.TTL,
      discover: IP_OPTION.MTU_DISCOVER,
    },
    ...{ origin: 2, exceeded: [11, 0], refused: [3, 3], tooBig: [3, 4], gone: [3, 1] },
  },
  {
    ...{
      family: INET6,
      to: '[2001:db8:2::2]',
      router: '2001:db8:1::1',
      near: '[2001:db8:1::99]',
      own: '2001:db8:1::2',
      level: SOL.IPV6,
      wants: IPV6_OPTION.RECVERR,
      hops: IPV6_OPTION.HOPLIMIT,
      discover: IPV6_OPTION.MTU_DISCOVER,
    },
    ...{ origin: 3, exceeded: [3, 0], refused: [1, 4], tooBig: [2, 0], gone: [1, 3] },
  },
])('what routers and hosts say is in the error queue, family $family', async (row) => {
  const { sock } = host.open({ family: row.family });
  const set = (name: number, value: number): number => sock.ops.calls!.setOption(sock, row.level, name, Uint8Array.from(int(value)));
  expect([set(row.wants, 1), set(row.discover, 2)]).toEqual([0, 0]);
  // A hop too few, as traceroute does it; the port tells probes apart.
  expect(send(sock, `${row.to}:33435`, row.hops, 1)).toBe(payload.length);
  await net.pass(100);
  const about = { to: `${row.to}:33435`, payload };
  expect(report(sock)).toEqual({ what: [EHOSTUNREACH, row.origin, ...row.exceeded, 0], who: ip(row.router), ...about });
  // Nobody there.
  expect(send(sock, `${row.to}:33435`, row.hops, 2)).toBe(payload.length);
  await net.pass(100);
  expect(report(sock)).toEqual({ what: [ECONNREFUSED, row.origin, ...row.refused, 0], who: ip(row.to.replace(/[[\]]/g, '')), ...about });
  // Too big for the second link: as much of it as the router quotes.
  const mtuBytes = 1300;
  router.kernel.port(Devices).current.setMtu(router.device('eth1'), mtuBytes);
  const large = Array.from({ length: 1400 }, (_, i) => i & 0xff);
  expect(send(sock, `${row.to}:33435`, 0, 0, large)).toBe(1400);
  await net.pass(100);
  const got = report(sock) as { what: number[]; who: number[]; payload: number[] };
  expect([got.what, got.who]).toEqual([[EMSGSIZE, row.origin, ...row.tooBig, mtuBytes], ip(row.router)]);
  expect(got.payload.length).toBeGreaterThan(500);
  expect(got.payload).toEqual(large.slice(0, got.payload.length));
  // From now on this host knows it.
  expect(send(sock, `${row.to}:33435`, 0, 0, large)).toBe(-EMSGSIZE);
  expect(report(sock)).toMatchObject({ what: [EMSGSIZE, 1, 0, 0, mtuBytes], to: `${row.to}:0`, payload: [] });
  // Nobody answers on the link: this host itself says so, as by ICMP.
  expect(send(sock, `${row.near}:9`, 0, 0)).toBe(payload.length);
  await net.pass(5000);
  expect(report(sock)).toEqual({ what: [EHOSTUNREACH, row.origin, ...row.gone, 0], who: ip(row.own), to: `${row.near}:9`, payload });
  expect(report(sock)).toBeNull();
  sock.ops.calls!.close(sock);
});
