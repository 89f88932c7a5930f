import { ADDRESS_FAMILY, IP_OPTION, IPV6_OPTION, Message, SOL } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { expect, test } from 'vitest';
import { controls, int, ip, set } from './control.ts';
import { address, CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const LIMIT_BYTES = 16;
const BATCH = 50;

test.each([
  [
    'IPv4',
    INET,
    '127.0.0.1:9',
    SOL.IP,
    [IP_OPTION.PKTINFO, IP_OPTION.RECVTTL, IP_OPTION.RECVTOS, IP_OPTION.ORIGDSTADDR],
    [
      [SOL.IP, IP_OPTION.PKTINFO, [...int(0), ...ip('127.0.0.1'), 0, 0, 0, 0]],
      [SOL.IP, IP_OPTION.TTL, int(7)],
      [SOL.IP, IP_OPTION.TOS, int(8)],
    ],
  ],
  [
    'IPv6',
    INET6,
    '[::1]:9',
    SOL.IPV6,
    [IPV6_OPTION.RECVPKTINFO, IPV6_OPTION.RECVHOPLIMIT, IPV6_OPTION.RECVTCLASS, IPV6_OPTION.FLOWINFO, IPV6_OPTION.ORIGDSTADDR],
    [
      [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::1'), ...int(0)]],
      [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(7)],
      [SOL.IPV6, IPV6_OPTION.TCLASS, int(8)],
    ],
  ],
] as const)('control messages, both ways, allocate nothing once warm: %s', async (_name, family, to, level, asked, sent) => {
  const host = await realHost();
  const [a, b] = [host.user(family), host.user(family)];
  b.bind(to);
  for (const name of asked) expect(set(b, level, name, int(1))).toBe(0);
  const out = new Message();
  out.data = new Uint8Array(100);
  out.hasAddress = true;
  out.address = address(to, family);
  out.control = controls(sent);
  const into = new Message();
  into.data = new Uint8Array(100);
  let sending = 0;
  let receiving = 0;
  const round = (): void => {
    const start = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) if (a.calls.send(a.sock, out) !== 100) throw new Error('not sent');
    const went = process.memoryUsage().heapUsed;
    host.world.advanceSync(10);
    const came = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) {
      into.flags = 0;
      if (b.calls.receive(b.sock, into) !== 100) throw new Error(`datagram ${i} is lost`);
    }
    sending = (went - start) / BATCH;
    receiving = (process.memoryUsage().heapUsed - came) / BATCH;
  };
  for (const part of [() => sending, () => receiving]) {
    const bytes = onceWarm(LIMIT_BYTES, () => {
      round();
      return part();
    });
    expect(bytes).toBeLessThan(LIMIT_BYTES);
  }
  a.close();
  b.close();
  expect(await host.end()).toEqual(CLEAN);
});
