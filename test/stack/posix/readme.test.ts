import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ADDRESS_FAMILY, SOCK_TYPE } from '@softnet/contract';
import { socketAddress } from '@softnet/posix';
import { expect, test } from 'vitest';
import { CLEAN, posixHost } from './posix-host.ts';
import { answerOne } from './readme-example.ts';

test('the README’s example is a file that runs', async () => {
  const file = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
  const readme = file('../../../packages/posix/README.md');
  expect(readme.match(/```ts\n([\s\S]*?)```/)![1]).toBe(file('readme-example.ts'));
  const { kernel, posix, pass, watch, end } = await posixHost();
  const answered = watch(answerOne(kernel));
  const fd = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM);
  posix.sendto(fd, Uint8Array.of(1, 2, 3), 0, socketAddress('127.0.0.1', 7)!);
  await pass(1000);
  expect([answered.result, posix.recv(fd, new Uint8Array(9))]).toEqual([3, 3]);
  expect(await end()).toEqual(CLEAN);
});
