import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FakeLibc } from './fake-libc.ts';
import { openTun, TunFile } from './tun-file.ts';

const TUNSETIFF = 0x400454ca;
const ERRNOS = { EPERM: 1, EBUSY: 16, EINVAL: 22, ENODEV: 19, odd: 123 } as const;

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
    expect(() => openTun(answering(ERRNOS[name]), 'tap7', '/dev/null')).toThrow(sentence);
    // The descriptor was closed: the next one has its number.
    const after = openSync('/dev/null', 'r');
    expect(after).toBe(before + 1);
    for (const fd of [before, after]) new TunFile(new FakeLibc(), '', fd).close();
  });

  it('no /dev/net/tun', () => {
    expect(() => openTun(new FakeLibc(), 'tap7', '/nowhere/net/tun')).toThrow(
      /^ENOENT: tap: Linux's module tun is not there \(\/nowhere\/net\/tun cannot be opened\): modprobe tun, or, in a container, --device/,
    );
    expect(() => openTun(new FakeLibc(), 'tap7', '/')).toThrow(/^EIO: tap: \/ cannot be opened: /);
  });

  it('closes once, and Linux sees no carrier until the device goes up', () => {
    const libc = new FakeLibc();
    const tun = openTun(libc, 'tap7', '/dev/null');
    expect([tun.name, libc.carrier, tun.readAddress()]).toEqual(['tap7', [false], Uint8Array.of(2, 0, 0, 0, 0, 0x11)]);
    tun.close();
    tun.close();
    expect(tun.fd).toBe(-1);
  });
});
