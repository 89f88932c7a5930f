import { spawnSync } from 'node:child_process';
import { constants } from '@softnet/posix';
import { describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';

/** All that Python has of C's names, with this machine's numbers. */
const PROGRAM = `
import errno, fcntl, json, os, select, socket, termios
found = {}
for module in (errno, fcntl, os, select, socket, termios):
    for name in dir(module):
        value = getattr(module, name)
        if isinstance(value, int) and name.isupper() and not name.startswith('_'):
            found[name] = int(value)
print(json.dumps(found))
`;

const python = spawnSync('python3', ['-c', PROGRAM], { encoding: 'utf8' });
const skipReason =
  python.status !== 0 ? 'python3 is not installed' : process.arch !== 'x64' && process.arch !== 'arm64' ? 'other numbers' : null;

describe.skipIf(skipAloud('names of socket calls beside Linux', skipReason))('names and numbers', () => {
  test('are this machine’s', () => {
    const real: Record<string, number> = JSON.parse(python.stdout);
    const both = Object.keys(constants).filter((name) => name in real);
    expect(Object.fromEntries(both.map((name) => [name, constants[name]]))).toEqual(
      Object.fromEntries(both.map((name) => [name, real[name]])),
    );
    expect(both.length).toBeGreaterThan(280);
    const names = /^(E[A-Z0-9]{2,}$|AF_(INET6?|UNIX|PACKET|UNSPEC)$|SO_|TCP_|MSG_|POLL|EPOLL|SHUT_|SOMAX|SCM_|IPV6_|MCAST_)/;
    // Terminals, and families that there are none of.
    const others = /^(ECHO|EXT[AB]$)|J1939|_VM_/;
    const missing = Object.keys(real).filter((name) => names.test(name) && !others.test(name) && !(name in constants));
    expect(missing).toEqual([]);
  });
});
