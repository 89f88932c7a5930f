import { ADDRESS_FAMILY, ETHERTYPE, SKB_TYPE, SOCK_TYPE } from '@softnet/contract';
import { PacketModule } from '@softnet/packet';
import { KernelTimeModule, pattern } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { rawHosts } from '../raw/raw-hosts.ts';
import { PacketUser } from './packet-user.ts';

test('packets go their way as if nobody looked on: datagrams, fragments and echoes, both families, with lookers-on of either type', async () => {
  const net = await rawHosts();
  for (const { kernel } of [net.a, net.b]) for (const module of [KernelTimeModule, PacketModule]) await net.world.run(kernel.load(module));
  const lookers = [net.a, net.b].flatMap(({ kernel }) => [
    new PacketUser(kernel, SOCK_TYPE.RAW),
    new PacketUser(kernel, SOCK_TYPE.DGRAM),
    new PacketUser(kernel, SOCK_TYPE.DGRAM, ETHERTYPE.IPV4),
  ]);
  for (const [family, there] of [
    [ADDRESS_FAMILY.INET, '10.0.0.2'],
    [ADDRESS_FAMILY.INET6, 'fd00::2'],
  ] as const) {
    const [client, server] = [net.a.open({ family }), net.b.open({ family })];
    server.bind(there, 7);
    for (const lenBytes of [3, 1400, 5000]) {
      const data = pattern(1, lenBytes, lenBytes);
      await net.world.run(client.send(data, there, 7));
      expect((await net.world.run(server.receive())).data).toEqual(data);
    }
    await net.world.run(net.a.ping(there));
    client.close();
    server.close();
  }
  await net.settle();
  const [whole, cooked, named] = lookers.slice(3).map((looker) => looker.all());
  // The same packets, with and without fourteen bytes.
  expect(whole!.map(({ bytes }) => bytes.slice(14))).toEqual(cooked!.map(({ bytes }) => bytes));
  const received = cooked!.filter(({ ethertype, packetType }) => ethertype === ETHERTYPE.IPV4 && packetType !== SKB_TYPE.OUTGOING);
  expect([named, received.length]).toEqual([received, 7]);
  for (const looker of lookers) looker.close();
  expect(await net.end()).toEqual([]);
});
