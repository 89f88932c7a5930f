import type { Owner, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, SOCK_TYPE, SockAddress, Sockets } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';

/** The goal is 1,500 for an idle established connection, one end of it; its records alone take that: socket, connection, congestion state, both uses of its way. */
const MOST_BYTES = 1950;
const FEW = 500;
const MANY = 3000;

/** 10.0.0.2, port 80. */
function peer(): SockAddress {
  const address = new SockAddress();
  address.family = ADDRESS_FAMILY.INET;
  address.address2 = IPV4_WORD2;
  address.address3 = 0x0a000002;
  address.port = 80;
  return address;
}

function open({ kernel }: NetHost, owner: Owner): SockCommon {
  return kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM, 0, owner);
}

test('an idle connection is small', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 100 });
  const owner = { name: 'many' };
  const listener = open(b, owner);
  const { calls } = listener.ops;
  const any = peer();
  any.address3 = 0;
  expect([calls!.bind(listener, any), calls!.listen(listener, 4096)]).toEqual([0, 0]);
  const socks: SockCommon[] = [];
  const connect = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const sock = open(a, owner);
      sock.ops.calls!.connect(sock, peer());
      socks.push(sock);
      if (i % 100 === 99) await net.pass(2);
    }
    await net.pass(1000);
    for (let sock = calls!.accept(listener, owner); sock !== null; sock = calls!.accept(listener, owner)) socks.push(sock);
  };
  const used = (): number => {
    for (let i = 0; i < 3; i++) globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  await connect(FEW);
  const before = used();
  await connect(MANY);
  expect(socks.filter(({ state }) => state === 1).length).toBe(2 * (FEW + MANY));
  const idle = (used() - before) / (2 * MANY);
  console.log(`an idle TCP connection: ${idle.toFixed(0)} bytes`);
  expect(idle).toBeLessThanOrEqual(MOST_BYTES);
  await net.dispose();
});
