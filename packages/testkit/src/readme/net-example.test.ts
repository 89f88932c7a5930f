import { Captures } from '@softnet/nic-driver';
import { HOST_STACK, Net } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { expect, test } from 'vitest';

test('two hosts on a lossy wire: ping, UDP, a capture, and IPv6 leaves while IPv4 goes on', async () => {
  const net = new Net({ seed: 7, modules: [...HOST_STACK, UdpEchoModule] });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    { delayUs: 500, loss: 0.05, seed: 7 },
  );
  const file: Uint8Array[] = [];
  const captures = a.kernel.port(Captures).current;
  const capture = captures.start({ device: a.device('eth0'), write: (bytes) => file.push(bytes.slice()) }, { name: 'readme' });
  // Time is virtual: `net.run` moves it until the promise settles. An `await` alone would wait for ever.
  expect((await net.run(a.ping('fd00::2'))).rttUs).toBe(2000);
  const user = a.open({ name: 'reader' });
  user.connect('10.0.0.2', 7);
  await net.run(user.send(new TextEncoder().encode('hello')));
  const unload = a.kernel.unload('ipv6');
  expect(new TextDecoder().decode((await net.run(user.receive())).data)).toBe('hello');
  expect((await net.run(unload)).outcome).toBe('gone');
  user.close();
  capture.close();
  expect(file.length).toBeGreaterThan(0);
  await net.dispose();
});
