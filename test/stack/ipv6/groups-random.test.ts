import { ADDRESS_FAMILY, ETHERTYPE } from '@softnet/contract';
import { emitMld, parseMld } from '@softnet/ipv6';
import { HOST_STACK } from '@softnet/testkit';
import { emitEthernet, emitIpv6Packet, formatIpv6, parseEthernet, parseIpv6Packet, pseudoHeaderSum } from '@softnet/wire';
import { expect, test } from 'vitest';
import type { GroupFamily } from '../ipv4/groups-run.ts';
import { groupsRun } from '../ipv4/groups-run.ts';
import { bytes, G, groupReq, ints, mreq, set, sockaddr, source } from './group-values.ts';
import { ALERT, query, REPORTS, words } from './mld-link.ts';
import { packetOf } from './raw-peer.ts';

const ROUTER = 'fe80::fe';
const ALL_NODES = 'ff02::1';
const GROUPS = ['ff05::1', 'ff05::1:0:1', 'ff0e::1', 'ff35::1'];

const MLD: GroupFamily = {
  family: ADDRESS_FAMILY.INET6,
  hosts: 6,
  groups: GROUPS,
  sources: ['fd09::1', 'fd09::2', 'fd09::3'],
  modules: HOST_STACK.filter((each) => !String(each).includes('Ipv4Module')),
  settings: REPORTS,
  drops: 'mld',
  addresses: () => [],
  format: (address) => formatIpv6(...address),
  query: (maxResponseMs) => {
    const pseudo = (lenBytes: number): number => pseudoHeaderSum(...words(ROUTER), ...words(ALL_NODES), 58, lenBytes);
    const message = emitMld(query('::', { maxResponseMs, intervalS: 5 }), pseudo);
    const packet = { protocol: 58, hopLimit: 1, src: ROUTER, dst: ALL_NODES, headers: ALERT, payload: message };
    const payload = emitIpv6Packet(packetOf(packet));
    return emitEthernet({ dst: '33:33:00:00:00:01', src: '02:00:00:00:00:fe', tags: [], type: ETHERTYPE.IPV6, payload });
  },
  reportOf: (frame, ifindex) => {
    const { payload, type } = parseEthernet(frame, 0, frame.length) as Exclude<ReturnType<typeof parseEthernet>, string>;
    if (type !== ETHERTYPE.IPV6) return null;
    const packet = parseIpv6Packet(payload, 0, payload.length);
    if (typeof packet === 'string' || packet.protocol !== 58 || packet.payload[0]! !== 143 || packet.src === '::') return null;
    const message = parseMld(packet.payload, 0, packet.payload.length);
    if (typeof message === 'string' || message.type !== 143) throw new Error(`heard ${JSON.stringify(message)}`);
    // Not those of its own addresses.
    return { who: `${ifindex}`, records: message.records.filter(({ group }) => GROUPS.includes(formatIpv6(...group))) };
  },
  who: ({ hubIfindex }) => `${hubIfindex}`,
  set,
  moves: ({ ifindex }, { group, source: from, filter, sources }) => [
    [G.JOIN_GROUP, mreq(group, ifindex)],
    [G.LEAVE_GROUP, mreq(group, ifindex)],
    source(G.MCAST_JOIN_SOURCE_GROUP, group, from, ifindex),
    source(G.MCAST_LEAVE_SOURCE_GROUP, group, from, ifindex),
    source(G.MCAST_BLOCK_SOURCE, group, from, ifindex),
    source(G.MCAST_UNBLOCK_SOURCE, group, from, ifindex),
    [G.MCAST_MSFILTER, bytes(groupReq(ifindex, sockaddr(group)), ints(filter, sources.length), ...sources.map((each) => sockaddr(each)))],
  ],
};

test('six hosts on a lossy link: in the end the querier knows what the members want; the same seed gives the same run', async () => {
  const seed = 2026;
  const outcome = await groupsRun(MLD, seed);
  expect(outcome.wanted[0].length, `seed ${seed}`).toBeGreaterThan(6);
  expect([outcome.asked, outcome.told], `seed ${seed}`).toEqual(outcome.wanted);
  expect(outcome.drops, `seed ${seed}`).toEqual([]);
  expect(await groupsRun(MLD, seed), `seed ${seed}`).toEqual(outcome);
});
