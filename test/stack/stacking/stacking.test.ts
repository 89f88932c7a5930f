import { Captures } from '@softnet/nic-driver';
import { pattern } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { A_INSIDE, addTube, B_INSIDE, packetsOut, stackedNet, taggedRoute } from './stacked-net.ts';
import { VEIL_PROTOCOL } from './veil-module.ts';

const INET = 2;
const IPIP = 4;

test('a transformation on a tunnel device on a label on a next hop: datagrams and pings of all sizes, from here and through', async () => {
  const all = await stackedNet();
  const { net, c, a, r, b } = all;
  const frames: Uint8Array[] = [];
  const capturing = r.kernel
    .port(Captures)
    .current.start({ device: r.device('eth0'), write: (bytes) => void frames.push(bytes.slice()) }, { name: 'test' });
  for (const host of [a, c]) {
    const user = host.open({ family: INET });
    user.connect(B_INSIDE, 7);
    // The first large one teaches the client how narrow the tunnel is.
    user.trySend(pattern(0, 0, 1472));
    await net.pass(100);
    while (typeof user.tryReceive() !== 'number');
    for (const size of [0, 1, 1400, 1436, 1437, 1500, 9000, 65_000]) {
      await net.run(user.send(pattern(size, 0, size)));
      expect(Buffer.compare((await net.run(user.receive())).data, pattern(size, 0, size)), `${size} bytes`).toBe(0);
      expect((await net.run(host.ping(B_INSIDE, { lenBytes: size }))).lenBytes).toBe(size);
    }
    user.close();
  }
  await net.run(b.ping(A_INSIDE));
  await net.run(b.ping('10.8.0.2'));
  capturing.close();
  const seen = Buffer.concat(frames);
  const outer = Buffer.from([...[0x88, 0x47], ...[0, 100 >> 4, ((100 & 0xf) << 4) | 1, 64]]);
  const at = seen.indexOf(outer);
  expect(at, 'on the wire, a label').toBeGreaterThan(0);
  const ip = at + outer.length;
  expect([seen[ip]! >> 4, seen[ip + 9], seen[ip + 20]! >> 4, seen[ip + 29]]).toEqual([4, IPIP, 4, VEIL_PROTOCOL]);
  expect(packetsOut(all)).toEqual([0, 0, 0, 0]);
  await net.dispose();
});

test('rooms grow, the MTU shrinks, and whoever goes by it holds each layer of the stack', async () => {
  const { net, a } = await stackedNet();
  const user = a.open({ family: INET, name: 'user' });
  user.connect(B_INSIDE, 7);
  await net.run(user.send(new Uint8Array(8)));
  await net.run(user.receive());
  const dst = user.sock.dst!.dst!;
  expect([dst.mtuBytes, dst.child!.mtuBytes, dst.child!.device!.name]).toEqual([1476 - 12, 1476, 'tube0']);
  expect(dst.headroomBytes - dst.child!.headroomBytes).toBe(8);
  const held = (module: string): string[] =>
    a.kernel.holders(module).map(({ owner, kind, description }) => `${owner}, ${kind}: ${description}`);
  expect(held('veil')).toEqual(['user, veiled: veiled, by tube0']);
  expect(held('tube')).toEqual(['user, tube-use: by tube0']);
  expect(held('tag')).toEqual(['ip, tagged: tagged, by eth1']);
  expect(held('wire')).toEqual(['ip, use: a cached route by eth1']);
  expect(held('ipv4').sort()).toEqual(['ip, dst: by eth1 to 10.1.0.1', 'user, dst: by tube0']);
  user.close();
  await net.pass(1);
  expect([held('veil'), held('tube'), held('tag').length]).toEqual([[], [], 1]);
  await net.dispose();
});

test('a tunnel that leads into itself is cut off: its packets end in the backlog, counted', async () => {
  const { net, a } = await stackedNet({ veiled: false });
  await addTube(net, a, '10.9.1.1', '10.9.1.2', '10.9.1.1/24', 'tube1');
  const user = a.open({ family: INET });
  await net.run(user.send(new Uint8Array(8), '10.9.1.2', 9));
  await net.pass(10);
  const count = (name: string): number => a.kernel.dropReasons().find((reason) => reason.name === name)?.count ?? 0;
  expect([count('backlog.depth'), a.device('tube1').stats.txPackets]).toEqual([1, 9]);
  user.close();
  await net.dispose();
});

test('a label that the module does not take is refused as the route is added; one that no module offers, too', async () => {
  const { net, a, c } = await stackedNet();
  expect(() => taggedRoute(a, '10.3.0.0/24', '10.1.0.1', 'eth1', 3)).toThrow('EINVAL: encap tag takes a label');
  expect(() => taggedRoute(c, '10.3.0.0/24', '10.8.0.1', 'eth0', 100)).toThrow('EOPNOTSUPP');
  await net.dispose();
});
