import { HOST_STACK, pattern, routedHosts } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { expect, test } from 'vitest';

const FAR = Object.freeze(['10.0.2.2', 'fd00:2::2'] as const);

test.each(FAR)('two hosts and a router: ping and UDP to %s, of all sizes', async (address) => {
  const { net, a } = await routedHosts({ modules: [...HOST_STACK, UdpEchoModule], cable: { delayUs: 1000 } });
  for (const lenBytes of [0, 56, 1472, 1473, 9000, 65_507]) {
    expect(await net.run(a.ping(address, { lenBytes }))).toMatchObject({ address, lenBytes });
  }
  const user = a.open();
  user.connect(address, 7);
  for (const size of [0, 1, 1452, 1453, 1472, 1473, 20_000, 65_507]) {
    await net.run(user.send(pattern(size, 0, size)));
    expect(Buffer.compare((await net.run(user.receive())).data, pattern(size, 0, size)), `${size} bytes`).toBe(0);
  }
  user.close();
  await net.dispose();
});
