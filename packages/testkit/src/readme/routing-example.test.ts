import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import { HOST_STACK, Net, Tracer } from '@softnet/testkit';
import { expect, test } from 'vitest';

test('three routers: a group of next hops, one of which fails, and rules by port and by mark', async () => {
  const net = new Net({ modules: HOST_STACK });
  const [a, b] = [await net.host('a'), await net.host('b')];
  const [near, upper, lower] = [await net.router('near'), await net.router('upper'), await net.router('lower')];
  const link = (left: typeof a, leftAddress: string, right: typeof a, rightAddress: string) =>
    net.join(
      { host: left, device: `to-${right.kernel.name}`, addresses: [leftAddress] },
      { host: right, device: `to-${left.kernel.name}`, addresses: [rightAddress] },
    );
  await link(a, '10.0.1.2/24', near, '10.0.1.1/24');
  await link(near, '10.1.0.1/24', upper, '10.1.0.2/24');
  await link(near, '10.2.0.1/24', lower, '10.2.0.2/24');
  await link(upper, '10.3.0.2/24', b, '10.3.0.1/24');
  await link(lower, '10.4.0.2/24', b, '10.4.0.1/24');
  b.addAddress('lo', '10.9.0.1/32');
  a.addRoute('default', { via: '10.0.1.1' });
  b.addRoute('default', { ways: [{ via: '10.3.0.2' }, { via: '10.4.0.2' }] });
  upper.addRoute('10.9.0.1', { via: '10.3.0.1' });
  upper.addRoute('10.0.1.0/24', { via: '10.1.0.1' });
  lower.addRoute('10.9.0.1', { via: '10.4.0.1' });
  lower.addRoute('10.0.1.0/24', { via: '10.2.0.1' });

  near.setNextHop(1, { via: '10.1.0.2', dev: 'to-upper' });
  near.setNextHop(2, { via: '10.2.0.2', dev: 'to-lower' });
  near.setNextHop(10, { group: [1, { id: 2, weight: 3 }] });
  near.addRoute('10.9.0.1', { nhid: 10 });
  // Port 53 and packets marked 5 go by the upper way whatever the group says.
  near.addRoute('default', { via: '10.1.0.2', table: 100 });
  near.addRule({ priority: 100, ipproto: IP_PROTOCOL.UDP, dport: 53, table: 100 });
  near.addRule({ priority: 101, fwmark: 5, table: 100 });

  const passed = () => [upper, lower].map((router) => router.device('to-near').stats.rxPackets);
  /** How many datagrams, each from another port, take the upper way, and the lower. */
  const spread = async (port: number, from = a, mark = 0) => {
    const [upperBefore, lowerBefore] = passed();
    for (let n = 0; n < 40; n++) {
      const user = from.open({ family: ADDRESS_FAMILY.INET, mark });
      await net.run(user.send(Uint8Array.of(n), '10.9.0.1', port));
      user.close();
    }
    await net.pass(10);
    const [upperAfter, lowerAfter] = passed();
    return [upperAfter! - upperBefore!, lowerAfter! - lowerBefore!];
  };
  // Who is on the link is known before packets are counted.
  for (const router of [upper, lower]) await net.run(router.ping(router === upper ? '10.1.0.1' : '10.2.0.1'));
  const [byUpper, byLower] = await spread(4000);
  expect(byUpper! + byLower!).toBe(40);
  expect(byLower).toBeGreaterThan(byUpper!);
  expect(await spread(53)).toEqual([40, 0]);
  expect(await spread(4000, near, 5)).toEqual([40, 0]);
  lower.down('to-near');
  expect(await spread(4000)).toEqual([40, 0]);

  const tracer = new Tracer(a.kernel, { family: ADDRESS_FAMILY.INET });
  expect((await net.run(tracer.probe('10.9.0.1', 2, 1000)))?.address).toBe('10.1.0.2');
  tracer.close();
  await net.dispose();
});
