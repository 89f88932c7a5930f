import { ADDRESS_FAMILY, ETHERTYPE } from '@softnet/contract';
import type { IgmpQuery } from '@softnet/ipv4';
import { emitIgmp, IGMP_TYPE, parseIgmp } from '@softnet/ipv4';
import { emitEthernet, emitIpv4Packet, formatIpv4, ipv4Words, parseEthernet, parseIpv4Packet, routerAlertOption } from '@softnet/wire';
import { expect, test } from 'vitest';
import { addresses, bytes, G, ints, mreqn, set } from './group-values.ts';
import type { GroupFamily } from './groups-run.ts';
import { groupsRun } from './groups-run.ts';
import { IPV4_STACK, ipv4 } from './raw-link.ts';

const ROUTER = '10.0.0.254';
const GENERAL: IgmpQuery = {
  ...{ type: IGMP_TYPE.QUERY, version: 3, group: ipv4Words(0), maxResponseDs: 20, suppress: false, robustness: 2, intervalS: 5 },
  sources: [],
};

const IGMP: GroupFamily = {
  family: ADDRESS_FAMILY.INET,
  hosts: 20,
  groups: ['239.1.1.1', '239.1.1.2', '239.1.1.3', '232.1.1.1'],
  sources: ['10.9.0.1', '10.9.0.2', '10.9.0.3'],
  modules: IPV4_STACK,
  drops: 'igmp',
  addresses: (at) => [`10.0.0.${at + 1}/24`],
  format: (address) => formatIpv4(address[3]),
  query: (maxResponseMs) => {
    const message = emitIgmp({ ...GENERAL, maxResponseDs: Math.trunc(maxResponseMs / 100) });
    const packet = { protocol: 2, ttl: 1, src: ROUTER, dst: '224.0.0.1', options: [routerAlertOption()], payload: message };
    const payload = emitIpv4Packet(ipv4(packet));
    return emitEthernet({ dst: '01:00:5e:00:00:01', src: '02:00:00:00:00:fe', tags: [], type: ETHERTYPE.IPV4, payload });
  },
  reportOf: (frame) => {
    const { payload, type } = parseEthernet(frame, 0, frame.length) as Exclude<ReturnType<typeof parseEthernet>, string>;
    if (type !== ETHERTYPE.IPV4) return null;
    const packet = parseIpv4Packet(payload, 0, payload.length);
    if (typeof packet === 'string' || packet.protocol !== 2) return null;
    const message = parseIgmp(packet.payload, 0, packet.payload.length);
    if (typeof message === 'string' || message.type !== IGMP_TYPE.REPORT_V3) throw new Error(`heard ${JSON.stringify(message)}`);
    return { who: packet.src, records: message.records };
  },
  who: ({ at }) => `10.0.0.${at + 1}`,
  set,
  moves: ({ at }, { group, source, filter, sources }) => {
    const address = `10.0.0.${at + 1}`;
    return [
      [G.ADD_MEMBERSHIP, mreqn(group, 0, address)],
      [G.DROP_MEMBERSHIP, mreqn(group, 0, address)],
      [G.ADD_SOURCE_MEMBERSHIP, addresses(group, address, source)],
      [G.DROP_SOURCE_MEMBERSHIP, addresses(group, address, source)],
      [G.BLOCK_SOURCE, addresses(group, address, source)],
      [G.UNBLOCK_SOURCE, addresses(group, address, source)],
      [G.MSFILTER, bytes(addresses(group, address), ints(filter, sources.length), addresses(...sources))],
    ];
  },
};

test('twenty hosts on a lossy link: in the end the querier knows what the members want; the same seed gives the same run', async () => {
  const seed = 2026;
  const outcome = await groupsRun(IGMP, seed);
  expect(outcome.wanted[0].length, `seed ${seed}`).toBeGreaterThan(20);
  expect([outcome.asked, outcome.told], `seed ${seed}`).toEqual(outcome.wanted);
  expect(outcome.drops, `seed ${seed}`).toEqual([]);
  expect(await groupsRun(IGMP, seed), `seed ${seed}`).toEqual(outcome);
});
