import { Net, routedHosts } from '@softnet/testkit';
import { expect, test } from 'vitest';

test('two hosts ping one another, by global and link-local addresses, and themselves', async () => {
  const net = new Net();
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join({ host: a, device: 'eth0', addresses: ['fd00::1/64'] }, { host: b, device: 'eth0', addresses: ['fd00::2/64'] });
  const drops = () =>
    a.kernel
      .dropReasons()
      .filter((r) => r.count > 0)
      .map((r) => `${r.name} ${r.count}`);
  const pong = await net.run(a.ping('fd00::2')).catch((e) => {
    console.log(
      drops(),
      b.kernel
        .dropReasons()
        .filter((r) => r.count > 0)
        .map((r) => `${r.name} ${r.count}`),
      a.kernel.faults,
      b.kernel.faults,
    );
    throw e;
  });
  expect(pong.address).toBe('fd00::2');
  await net.run(a.ping('::1'));
  await net.run(a.ping('fd00::1'));
  await net.dispose();
});
test('routed', async () => {
  const { net, a, b, r } = await routedHosts();
  const drops = (h: typeof a) =>
    h.kernel
      .dropReasons()
      .filter((x) => x.count > 0)
      .map((x) => `${x.name} ${x.count}`);
  await net.run(a.ping('fd00:2::2', { lenBytes: 60000 })).catch((e) => {
    console.log(drops(a), drops(r), drops(b), a.kernel.faults, r.kernel.faults);
    throw e;
  });
  await net.dispose();
});
