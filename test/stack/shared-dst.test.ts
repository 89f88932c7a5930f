import { ADDRESS_FAMILY, Flow, IPV4_WORD2, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import { HOST_STACK, Net } from '@softnet/testkit';
import { expect, test } from 'vitest';

const FLOWS = 1_000_000;
const USERS = 500;
const { INET } = ADDRESS_FAMILY;

test('a million flows by one next hop share one dst, whatever prefixes and sources they have; sockets too', async () => {
  const net = new Net({ modules: HOST_STACK.filter((source) => source !== Ipv6Module) });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join({ host: a, device: 'eth0', addresses: ['10.0.0.1/24'] }, { host: b, device: 'eth0', addresses: ['10.0.0.2/24'] });
  const ifindex = a.device('eth0').ifindex;
  const gateway = { family: INET, address: [0, 0, IPV4_WORD2, (10 << 24) | 2] as const };
  const edits = Array.from({ length: 256 }, (_, i) => ({
    change: 'add' as const,
    entry: {
      ...{ family: INET, prefix: [0, 0, IPV4_WORD2, (11 << 24) | (i << 16)] as const, prefixLen: 16, type: ROUTE_TYPE.UNICAST, source: 4 },
      nextHops: [{ ifindex, gateway }],
    },
  }));
  a.kernel.port(RouteTables).current.apply(edits);
  const route = a.kernel.port(Route);
  const flow = new Flow();
  const dsts = new Set<unknown>();
  let last: unknown = null;
  for (let i = 0; i < FLOWS; i++) {
    flow.family = INET;
    flow.protocol = 17;
    flow.dst2 = IPV4_WORD2;
    flow.dst3 = (11 << 24) | (i * 16);
    flow.srcPort = i & 0xffff;
    flow.src2 = 0;
    flow.src3 = 0;
    flow.oif = 0;
    const dst = route.current.lookup(flow);
    if (dst !== last) dsts.add(dst);
    last = dst;
  }
  const users = Array.from({ length: USERS }, (_, i) => {
    const user = a.open({ family: INET, name: `user ${i}` });
    user.connect(`11.${i & 255}.${i >> 8}.9`, 9);
    return user;
  });
  for (const { sock } of users) dsts.add(sock.dst!.dst);
  expect(dsts.size).toBe(1);
  expect(a.kernel.holders('ipv4')).toHaveLength(USERS);
  for (const user of users) user.close();
  expect(a.kernel.holders('ipv4')).toHaveLength(0);
  await net.dispose();
}, 60_000);
