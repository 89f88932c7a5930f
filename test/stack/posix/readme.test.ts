import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ADDRESS_FAMILY, ERRNO, SOCK_TYPE } from '@softnet/contract';
import { Posix, socketAddress, watchCall } from '@softnet/posix';
import { TcpModule } from '@softnet/tcp';
import { expect, test } from 'vitest';
import { echo } from './examples/echo.ts';
import { epollServer } from './examples/epoll-server.ts';
import { stepped } from './examples/stepped.ts';
import { CLEAN, posixHost } from './posix-host.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const to = socketAddress('127.0.0.1', 7)!;

test('every example of the README is one of the files that are run here', () => {
  const readme = readFileSync(`${root}packages/posix/README.md`, 'utf8');
  const examples = [...readme.matchAll(/<!-- the same as (\S+) -->\n```ts\n([\s\S]*?)```/g)];
  expect(examples).toHaveLength(readme.match(/```ts/g)!.length);
  expect(examples.map(([, file]) => file)).toEqual(
    ['echo', 'epoll-server', 'stepped'].map((name) => `test/stack/posix/examples/${name}.ts`),
  );
  for (const [, file, text] of examples) expect(readFileSync(root + file!, 'utf8')).toBe(text);
});

test('echo', async () => {
  const { kernel, posix, pass, end } = await posixHost();
  const names = echo(kernel, 2);
  await expect(echo(kernel, 1)).rejects.toThrow(/^bind\(0\): EADDRINUSE: another socket has this address/);
  const fd = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM);
  for (const lenBytes of [3, 4]) {
    posix.sendto(fd, new Uint8Array(lenBytes), 0, to);
    await pass(100);
    expect(posix.recv(fd, new Uint8Array(9))).toBe(lenBytes);
  }
  expect(await names).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(await end()).toEqual(CLEAN);
});

test('an epoll server', async () => {
  const { kernel, world, pass, end } = await posixHost();
  await world.run(kernel.load(TcpModule));
  const abort = new AbortController();
  const served = epollServer(kernel, abort.signal);
  const posix = new Posix(kernel, { name: 'clients' });
  const fds = [0, 1, 2].map(() => posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM));
  const connects = fds.map((fd) => watchCall(posix.connect(fd, to)));
  await pass(1000);
  expect(connects.map(({ result }) => result)).toEqual([0, 0, 0]);
  const calls = fds.map((fd, i) => {
    posix.write(fd, new Uint8Array(i + 1));
    return watchCall(posix.read(fd, new Uint8Array(9)));
  });
  await pass(1000);
  expect(calls.map(({ result }) => result)).toEqual([1, 2, 3]);
  posix.close(fds[0]!);
  await pass(1000);
  abort.abort();
  expect(await served).toBe(3);
  posix.exit();
  await pass(1000);
  expect(await end()).toEqual(CLEAN);
});

test('stepped', async () => {
  expect(await stepped()).toEqual([undefined, undefined, -ERRNO.EAGAIN, undefined, 3, 3]);
});
