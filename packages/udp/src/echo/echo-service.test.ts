import type { Sockets } from '@softnet/contract';
import { Counter, ERRNO, SockCommon } from '@softnet/contract';
import { expect, test } from 'vitest';
import { EchoService } from './echo-service.ts';

test('the echo service asks a socket that was closed over its head once, not for ever', () => {
  let asked = 0;
  const receive = (): number => (++asked > 100 ? -ERRNO.EAGAIN : -ERRNO.EBADF);
  const calls = { setOption: () => 0, bind: () => 0, close: () => {}, receive };
  const sock = new SockCommon({ calls } as never);
  const host = { name: 'echo', sockets: () => ({ open: () => sock }) as unknown as Sockets, port: () => 7, echoed: new Counter('echoed') };
  new EchoService({ ...host, retry: () => {}, calm: () => {} }).open();
  sock.wake?.(sock);
  expect(asked).toBe(1);
});
