import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FakeLibc } from '../descriptor/fake-libc.ts';
import { openTun, TUN_OFFLOAD } from './tun-file.ts';

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const PLAIN = Object.freeze({ kind: 'tap', queues: 0, vnetHeader: false } as const);
const ERRNOS = { EPERM: 1, EBUSY: 16, EINVAL: 22, ENODEV: 19, odd: 4000 } as const;

/** A libc whose Linux answers TUNSETIFF so. */
function answering(errno: number): FakeLibc {
  const libc = new FakeLibc();
  libc.ioctlErrors.set(TUNSETIFF, errno);
  return libc;
}

describe('openTun', () => {
  it.each([
    [
      'EPERM',
      /^EPERM: tap: this process may not make or use the interface tap7, which needs root or CAP_NET_ADMIN: run as root, or let root make the interface for you: ip tuntap add dev tap7 mode tap user \$USER$/,
    ],
    ['EBUSY', /^EBUSY: tap: another program has the interface tap7: end it, or give another ifname$/],
    ['EINVAL', /^EINVAL: tap: tap7 is an interface of Linux already, and no tap with one queue: give another ifname$/],
    ['ENODEV', /^ENODEV: tap: Linux does not give us the interface tap7/],
    ['odd', /^EIO: tap: Linux does not give us the interface tap7/],
  ] as const)('%s of TUNSETIFF: one sentence that says what to do', (name, sentence) => {
    const before = openSync('/dev/null', 'r');
    expect(() => openTun(answering(ERRNOS[name]), 'tap7', PLAIN, '/dev/null')).toThrow(sentence);
    // The descriptor was closed: the next one has its number.
    const after = openSync('/dev/null', 'r');
    expect(after).toBe(before + 1);
    for (const fd of [before, after]) closeSync(fd);
  });

  it('no /dev/net/tun', () => {
    expect(() => openTun(new FakeLibc(), 'tap7', PLAIN, '/nowhere/net/tun')).toThrow(
      /^ENOENT: tap: Linux's module tun is not there \(\/nowhere\/net\/tun cannot be opened\): modprobe tun, or, in a container, --device/,
    );
    expect(() => openTun(new FakeLibc(), 'tap7', PLAIN, '/')).toThrow(/^EISDIR: tap: \/ cannot be opened: /);
  });

  it('closes once, and Linux sees no carrier until the device goes up', () => {
    const libc = new FakeLibc();
    const tun = openTun(libc, 'tap7', PLAIN, '/dev/null');
    expect([tun.name, libc.carrier, tun.readAddress()]).toEqual(['tap7', [false], Uint8Array.of(2, 0, 0, 0, 0, 0x11)]);
    tun.close();
    tun.close();
    expect([tun.isOpen, tun.readAddress()]).toEqual([false, null]);
  });

  it('has a descriptor for each queue; what it may leave undone it says at once, UDP bursts where Linux knows them', () => {
    const libc = new FakeLibc();
    const tun = openTun(libc, 'tap7', { kind: 'tap', queues: 3, vnetHeader: true }, '/dev/null');
    expect([tun.fds.length, new Set(tun.fds).size, tun.headerBytes, tun.udpBursts]).toEqual([3, 3, 10, true]);
    expect(libc.numbers).toEqual([
      [TUNSETOFFLOAD, TUN_OFFLOAD.CHECKSUM | TUN_OFFLOAD.UDPV4 | TUN_OFFLOAD.UDPV6],
      [TUNSETOFFLOAD, TUN_OFFLOAD.CHECKSUM],
    ]);
    tun.useQueues(2);
    expect(libc.attached.map(([fd, attached]) => [tun.fds.indexOf(fd), attached])).toEqual([
      [0, true],
      [1, true],
      [2, false],
    ]);
    tun.close();
  });

  it.each([
    ['tun', 1],
    ['tun', 0],
  ] as const)('a refusal says which %s to make, with %i queues', (kind, queues) => {
    const make = queues > 0 ? 'mode tun multi_queue user' : 'mode tun user';
    expect(() => openTun(answering(ERRNOS.EPERM), 'tun7', { ...PLAIN, kind, queues }, '/dev/null')).toThrow(`dev tun7 ${make} $USER`);
    const sort = queues > 0 ? 'tun with several queues' : 'tun with one queue';
    expect(() => openTun(answering(ERRNOS.EINVAL), 'tun7', { ...PLAIN, kind, queues }, '/dev/null')).toThrow(`no ${sort}: give`);
  });

  it('a Linux without the header, or without UDP bursts', () => {
    const old = new FakeLibc();
    old.ioctlErrors.set(TUNSETVNETHDRSZ, ERRNOS.EINVAL);
    const wish = { kind: 'tap', queues: 0, vnetHeader: true } as const;
    expect(() => openTun(old, 'tap7', wish, '/dev/null')).toThrow(
      /EINVAL: tap: Linux gives tap7 no header .*: make it with vnetHeader off/,
    );
    const older = new FakeLibc();
    older.ioctlErrors.set(TUNSETOFFLOAD, ERRNOS.EINVAL);
    const tun = openTun(older, 'tap7', wish, '/dev/null');
    expect(tun.udpBursts).toBe(false);
    tun.close();
  });
});
