import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADDRESS_FAMILY, ERRNO, IPV6_OPTION, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import { intValue, Posix, socketAddress } from '@softnet/posix';
import { expect, test } from 'vitest';
import { realHost } from '../stack/udp/real-host.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { udpPeerSkipReason } from './linux/udp-peer.ts';

const PROGRAM = fileURLToPath(new URL('linux/udp-binds.py', import.meta.url));
const [REUSEADDR, REUSEPORT, V6ONLY] = [1, 2, 4] as const;
const PORT = 20_000;
const DONTWAIT = 0x40;
const LO = 1;

type Spec = readonly [family: 4 | 6, address: string, flags: number, device: 0 | 1];
/** -errno of the second bind, or who was given each destination's datagram: 1, 2, nobody. */
type Answer = number | readonly number[];

const ADDRESSES = [
  [4, '0.0.0.0'],
  [4, '127.0.0.1'],
  [6, '::'],
  [6, '::1'],
  [6, '::ffff:127.0.0.1'],
] as const;
const DESTINATIONS = [
  [4, '127.0.0.1'],
  [4, '127.0.0.2'],
  [6, '::1'],
] as const;
const SPECS: readonly Spec[] = ADDRESSES.flatMap(([family, address]) =>
  [0, 1, 2, 3, 4, 5, 6, 7]
    .filter((flags) => (flags & V6ONLY) === 0 || (family === 6 && !address.includes('.')))
    .flatMap((flags) => ([0, 1] as const).map((device): Spec => [family, address, flags, device])),
);

function linuxAnswers(): readonly Answer[][] {
  const linux = new Netns('binds');
  try {
    const input = JSON.stringify({ specs: SPECS, destinations: DESTINATIONS });
    const { stdout, stderr } = spawnSync('ip', ['netns', 'exec', linux.name, 'python3', PROGRAM], {
      input,
      encoding: 'utf8',
      maxBuffer: 16 << 20,
    });
    if (stderr !== '') throw new Error(stderr);
    return JSON.parse(stdout);
  } finally {
    linux.dispose();
  }
}

/** Both may be given it: they share what comes by the flow's hash. */
function isGroup(one: Spec, two: Spec): boolean {
  return (
    (one[2] & two[2] & REUSEPORT) !== 0 && one[0] === two[0] && one[1] === two[1] && one[3] === two[3] && ((one[2] ^ two[2]) & V6ONLY) === 0
  );
}

/**
 * DEVIATION: Linux takes the first REUSEPORT group that it meets, and meets IPv6's last; so it depends on who came first whether one goes before those
 * that are bound to the interface. Here it never does, and of equals the last that came is found, whatever its flags.
 */
function mayDiffer(one: Spec, two: Spec): boolean {
  return ((one[2] | two[2]) & REUSEPORT) !== 0 && !isGroup(one, two);
}

test.skipIf(skipAloud('which UDP sockets share a port', netnsSkipReason() ?? udpPeerSkipReason()))(
  'of two UDP sockets with one port, whoever they are, those that Linux has beside one another, and the same of both gets the datagram',
  async () => {
    const host = await realHost();
    const posix = new Posix(host.kernel, { name: 'binds' });
    const familyOf = (family: 4 | 6): number => (family === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6);
    const bound = ([family, address, flags, device]: Spec): number => {
      const fd = posix.socket(familyOf(family), SOCK_TYPE.DGRAM);
      if ((flags & REUSEADDR) !== 0) posix.setsockopt(fd, SOL.SOCKET, SO.REUSEADDR, intValue(1));
      if ((flags & REUSEPORT) !== 0) posix.setsockopt(fd, SOL.SOCKET, SO.REUSEPORT, intValue(1));
      if (family === 6) posix.setsockopt(fd, SOL.IPV6, IPV6_OPTION.V6ONLY, intValue((flags & V6ONLY) >> 2));
      if (device === 1) expect(posix.setsockopt(fd, SOL.SOCKET, SO.BINDTOIFINDEX, intValue(LO))).toBe(0);
      const error = posix.bind(fd, socketAddress(address, PORT)!);
      if (error === 0) return fd;
      posix.close(fd);
      return error;
    };
    const senders = new Map(([4, 6] as const).map((family) => [family, posix.socket(familyOf(family), SOCK_TYPE.DGRAM)]));
    const place = new Uint8Array(9);
    const has = (fd: number): boolean => posix.recv(fd, place, DONTWAIT) === 1;
    const answer = (first: Spec, second: Spec): Answer => {
      const one = bound(first);
      const two = bound(second);
      const who = DESTINATIONS.map(([family, address]) => {
        posix.sendto(senders.get(family)!, Uint8Array.of(1), 0, socketAddress(address, PORT)!);
        host.world.advanceSync(1);
        return has(one) ? 1 : has(two) ? 2 : 0;
      });
      posix.close(one);
      if (two < 0) return -two;
      posix.close(two);
      return who;
    };
    const others: string[] = [];
    let refused = 0;
    for (const [i, row] of linuxAnswers().entries()) {
      for (const [j, wanted] of row.entries()) {
        const [first, second] = [SPECS[i]!, SPECS[j]!];
        const ours = answer(first, second);
        if (wanted === ERRNO.EADDRINUSE) refused++;
        if (typeof wanted !== 'number' && typeof ours !== 'number' && mayDiffer(first, second)) continue;
        const text = (of: Answer): string => (isGroup(first, second) ? `${of}`.replaceAll('2', '1') : `${of}`);
        if (text(ours) !== text(wanted)) others.push(`${first} | ${second}: ${text(ours)}, Linux ${text(wanted)}`);
      }
    }
    // Both answers are there.
    expect([refused > 500, SPECS.length ** 2 - refused > 500]).toEqual([true, true]);
    expect(others).toEqual([]);
  },
);
