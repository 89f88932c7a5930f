import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScriptFailure } from '../system/script-failure.ts';
import { readShell } from './shell-words.ts';

test('commands, quotes, comments, redirections', () => {
  const text = `./defaults.sh
  # nothing; here
  sysctl -q net.ipv4.tcp_rmem="4096 131072 6291456" >/dev/null 2>&1; echo '7 8' > /proc/sys/net/x/y && ip route  del \\
    default # the end`;
  expect(readShell(text)).toEqual([
    { words: ['./defaults.sh'], output: null },
    { words: ['sysctl', '-q', 'net.ipv4.tcp_rmem=4096 131072 6291456'], output: null },
    { words: ['echo', '7 8'], output: '/proc/sys/net/x/y' },
    { words: ['ip', 'route', 'del', 'default'], output: null },
  ]);
});

test('garbage is commands, or a ScriptFailure', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '"', "'", '\\', '#', ';', '&', '>', '2', ' ', '\n') })),
      (text) => {
        try {
          readShell(text);
        } catch (error) {
          if (!(error instanceof ScriptFailure)) throw error;
        }
      },
    ),
    { numRuns: 500 },
  );
});
