import { Devices, SkbPools } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { Net, Tracer } from '@softnet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { IPV4_STACK } from './raw-link.ts';

const INET = 2;
const TARGET = '10.0.4.2';
const WAY = ['10.0.1.1', '10.0.2.2', '10.0.3.2', TARGET];
let net: Net;
let first: NetHost;
let routers: NetHost[];

/** A host, three routers in a row, and a host: 10.0.1.0/24 to 10.0.4.0/24. */
beforeEach(async () => {
  net = new Net({ seed: 7, modules: IPV4_STACK });
  first = await net.host('first');
  routers = [];
  for (const name of ['r1', 'r2', 'r3']) {
    const router = await net.host(name);
    router.kernel.sysctl.set('net.ipv4.ip_forward', true);
    routers.push(router);
  }
  const last = await net.host('last');
  const row = [first, ...routers, last];
  for (let i = 0; i < row.length - 1; i++) {
    const left = { host: row[i]!, device: i === 0 ? 'eth0' : 'eth1', addresses: [`10.0.${i + 1}.${i === 0 ? 2 : 1}/24`] };
    const right = { host: row[i + 1]!, device: 'eth0', addresses: [`10.0.${i + 1}.${i === 0 ? 1 : 2}/24`] };
    await net.join(left, right);
  }
  first.addRoute('default', { via: '10.0.1.1' });
  routers[0]!.addRoute('default', { via: '10.0.2.2' });
  routers[1]!.addRoute('default', { via: '10.0.3.2' });
  routers[1]!.addRoute('10.0.1.0/24', { via: '10.0.2.1' });
  routers[2]!.addRoute('10.0.0.0/8', { via: '10.0.3.1' });
  last.addRoute('default', { via: '10.0.4.1' });
});
afterEach(async () => {
  await net.pass(5000);
  const out = net.hosts.map(({ kernel }) => kernel.port(SkbPools).current.usage()[0]!.skbsOut);
  expect(out).toEqual(net.hosts.map(() => 0));
  await net.dispose();
});

test.each([false, true])('a trace names each router; by echoes: %s', async (echo) => {
  const tracer = new Tracer(first.kernel, { family: INET, echo });
  const answers = [];
  for (let hop = 1; hop <= 4; hop++) answers.push(await net.run(tracer.probe(TARGET, hop, 1000)));
  expect(answers.map((answer) => answer?.address)).toEqual(WAY);
  const last = echo ? undefined : [3, 3];
  expect(answers.map((answer) => answer?.error && [answer.error.type, answer.error.code])).toEqual([
    [11, 0],
    [11, 0],
    [11, 0],
    ...(last === undefined ? [null] : [last]),
  ]);
  // Where there is no way, who knows it says so; where nobody is, the last router does, later.
  routers[2]!.removeRoute('10.0.0.0/8', { via: '10.0.3.1' });
  routers[2]!.addRoute('10.0.1.0/24', { via: '10.0.3.1' });
  expect(await net.run(tracer.probe('192.0.2.1', 9, 1000))).toMatchObject({ address: '10.0.3.2', error: { type: 3, code: 0 } });
  expect(await net.run(tracer.probe('10.0.4.99', 9, 5000))).toMatchObject({ address: '10.0.3.2', error: { type: 3, code: 1 } });
  tracer.close();
});

test('a path that narrows twice is learnt twice; then all arrives in packets that fit', async () => {
  const row = net.hosts;
  const narrow = (link: number, mtuBytes: number): void => {
    for (const [host, device] of [
      [row[link]!, 'eth1'],
      [row[link + 1]!, 'eth0'],
    ] as const) {
      host.kernel.port(Devices).current.setMtu(host.device(device), mtuBytes);
    }
  };
  narrow(2, 1200);
  narrow(3, 900);
  const user = first.open({ family: INET });
  user.connect(TARGET, 4711);
  const { calls } = user.sock.ops;
  calls!.setOption(user.sock, 0, 10, Uint8Array.of(2));
  const mtu = (): number => {
    const value = new Uint8Array(4);
    calls!.getOption(user.sock, 0, 14, value);
    return value[0]! | (value[1]! << 8);
  };
  const tell = async (lenBytes: number): Promise<unknown> => {
    await net.run(user.send(new Uint8Array(lenBytes)));
    return await net.run(user.receive().catch(({ code }: { code: string }) => code));
  };
  expect([await tell(1472), mtu()]).toEqual(['EMSGSIZE', 1200]);
  expect([await tell(1172), mtu()]).toEqual(['EMSGSIZE', 900]);
  expect([await tell(872), mtu()]).toEqual(['ECONNREFUSED', 900]);
  user.close();
  // Echoes may be cut, so they pass whole, however long.
  expect(await net.run(first.ping(TARGET, { lenBytes: 5000 }))).toMatchObject({ lenBytes: 5000 });
});

test('a loop of routes ends, and is told of', async () => {
  routers[2]!.addRoute('192.0.2.0/24', { via: '10.0.3.1' });
  await expect(net.run(first.ping('192.0.2.1'))).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
});
