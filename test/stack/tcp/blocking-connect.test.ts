import { ERRNO } from '@softnet/contract';
import { constants, Posix, socketAddress } from '@softnet/posix';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';

const { AF_INET, SOCK_STREAM } = constants;
const { ECONNREFUSED, EISCONN } = ERRNO;

test('a blocking connect that fails may be tried again at once; who is connected by one is, as in Linux', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 1000 });
  const [client, server] = [new Posix(a.kernel), new Posix(b.kernel)];
  const there = socketAddress('10.0.0.2', 80)!;
  const fd = client.socket(AF_INET, SOCK_STREAM);
  const connect = (): Promise<number> => net.run(Promise.resolve(client.connect(fd, there)));
  expect([await connect(), await connect()]).toEqual([-ECONNREFUSED, -ECONNREFUSED]);
  const listener = server.socket(AF_INET, SOCK_STREAM);
  server.bind(listener, socketAddress('0.0.0.0', 80)!);
  server.listen(listener, 4);
  expect([await connect(), await connect(), await connect()]).toEqual([0, -EISCONN, -EISCONN]);
  client.exit();
  server.exit();
  await net.dispose();
});
