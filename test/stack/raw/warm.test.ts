import { ADDRESS_FAMILY, IPV6_OPTION, Message, SOL } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { emitIpv4Packet } from '@softnet/wire';
import { expect, test } from 'vitest';
import { address } from '../udp/host.ts';
import { rawHosts } from './raw-hosts.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const LIMIT_BYTES = 16;
const BATCH = 50;
const MINE = 253;
const RAW = 255;
const payload = new Uint8Array(1000).fill(7);
const written = emitIpv4Packet({
  ...{ tos: 0, id: 0, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 9, protocol: MINE },
  ...{ src: '0.0.0.0', dst: '10.0.0.2', options: [], payload },
});

test.each([
  ['IPv4', INET, MINE, '10.0.0.2:0', payload],
  ['IPv4, with a header of the user', INET, RAW, '10.0.0.2:0', written],
  ['IPv6, with a checksum', INET6, MINE, '[fd00::2]:0', payload],
] as const)('a packet allocates nothing once warm, sent, read by two, and taken: %s', async (_name, family, protocol, to, data) => {
  const net = await rawHosts();
  const [from, one, two] = [net.near(protocol, family), net.far(MINE, family), net.far(MINE, family)];
  if (family === INET6) for (const user of [from, one]) user.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 2);
  const out = new Message();
  out.data = data;
  out.hasAddress = true;
  out.address = address(to, family);
  const into = new Message();
  into.data = new Uint8Array(2000);
  let sending = 0;
  let receiving = 0;
  const round = (): void => {
    const start = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) if (from.calls.send(from.sock, out) !== data.length) throw new Error('not sent');
    const went = process.memoryUsage().heapUsed;
    // What a virtual World allocates is not ours.
    net.world.advanceSync(2000);
    const came = process.memoryUsage().heapUsed;
    for (const { calls, sock } of [one, two]) {
      for (let i = 0; i < BATCH; i++) {
        into.flags = 0;
        if (calls.receive(sock, into) < 1000) throw new Error(`packet ${i} is lost`);
      }
    }
    sending = (went - start) / BATCH;
    receiving = (process.memoryUsage().heapUsed - came) / (2 * BATCH);
  };
  from.send(data, to);
  await net.settle();
  for (const user of [one, two]) user.all();
  for (const part of [() => sending, () => receiving]) {
    const bytes = onceWarm(LIMIT_BYTES, () => {
      round();
      return part();
    });
    expect(bytes).toBeLessThan(LIMIT_BYTES);
  }
  for (const user of [from, one, two]) user.close();
  expect(await net.end()).toEqual([]);
});
