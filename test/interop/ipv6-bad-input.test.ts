import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXTENSION_ROWS } from '../stack/ipv6/bad-input/extension-rows.ts';
import { FRAGMENT_ROWS } from '../stack/ipv6/bad-input/fragment-rows.ts';
import { HEADER_ROWS } from '../stack/ipv6/bad-input/header-rows.ts';
import { MESSAGE_ROWS } from '../stack/ipv6/bad-input/message-rows.ts';
import type { Row } from '../stack/ipv6/bad-input/row.ts';
import { icmp, rawPacket } from '../stack/ipv6/bad-input/row.ts';
import { HOST, icmpOf, PEER, PEER_MAC, textOf } from '../stack/ipv6/raw-peer.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { RawTap } from './linux/raw-tap.ts';
import { pause } from './linux/until.ts';

/** Those for a host with its usual settings. */
const ROWS = [...HEADER_ROWS, ...EXTENSION_ROWS, ...FRAGMENT_ROWS, ...MESSAGE_ROWS].filter(
  ({ router, settings }) => router === undefined && settings === undefined,
);

/** Where Linux 6.18 says something else than softnet, and why; what is named by a beginning alone is all that begins so. */
const LINUX: readonly (readonly [row: string, answers: string])[] = [
  // A host takes them for routes that it does not have.
  ['4291 §2.5.2 to ::', '1/0'],
  ['4942 §2.2 to an IPv4-mapped address', '1/0'],
  // What is wrong with an option, or with how long a header is, it tells nobody (RFC 4443 §3.4 would have it told).
  ['4443 §3.4 ', ''],
  ['2711 §2.1 hop-by-hop: a router alert of ', ''],
  ['2675 §2 hop-by-hop: ', ''],
  // Limits are kept in silence (RFC 8883 is not there), and there is none of headers.
  ['8883 §3.5 ', ''],
  ['8883 §3.4 ', ''],
  ['8883 §3.3 ', '129'],
  // It knows the jumbo payload; no payload length at all is no fault.
  ['2675 §1 hop-by-hop: a jumbogram', ''],
  ['2675 §3 hop-by-hop: no payload length, and no jumbo payload', '129'],
  // Types 3 and 4 it knows, and has them off.
  ['8200 §4.4 routing type 3', ''],
  ['8200 §4.4 routing type 4', ''],
  // Of fragments it finds other faults first, and points at a header that is not there any more.
  ['8200 §4 a fragment header of 7 bytes', '4/0 @40'],
  ['6946 §4 in two fragment headers', '4/0 @48'],
  ['8200 §4.5 behind it a next header that nobody knows', '4/1 @40'],
  ['8200 §4.5 no bytes, and more to follow', '4/3'],
  ['8200 §4.5 no bytes, the last', ''],
  // Whether the first has the whole header it asks of TCP, UDP and ICMPv6 alone.
  ['7112 §5 with 8 of 12 bytes of DCCP', ''],
];

describe.skipIf(skipAloud('bad input of IPv6 to Linux', netnsSkipReason()))('the table of bad input, said to this machine’s Linux', () => {
  let linux: Netns;
  let raw: RawTap;
  let marks = 0x7fff_0000;

  beforeAll(async () => {
    linux = new Netns('bad');
    raw = await RawTap.plug(linux, 'eth0');
    const { stderr, stdout } = await linux.exec(
      `sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.router_solicitations=0 net.ipv6.icmp.ratelimit=0
      ip link set eth0 address 02:00:00:00:00:01 up; ip addr add ${HOST}/64 dev eth0 nodad
      for who in ${PEER} fe80::9; do ip neigh add $who lladdr ${PEER_MAC} dev eth0 nud permanent; done
      ip -6 route add fd01::/16 via ${PEER}; cat /sys/class/net/eth0/address`,
    );
    expect(stderr).toBe('');
    raw.mac = stdout.trim();
  });
  afterAll(async () => {
    await raw?.end();
    linux?.dispose();
  });

  /** What Linux says until it answers an echo that is sent behind the row. */
  async function answers(row: Row): Promise<string> {
    const mark = ++marks;
    raw.received.length = 0;
    row.send(raw);
    raw.bytes(rawPacket(58, icmp(128, 0, mark, new Uint8Array(0))));
    const isMark = (packet: (typeof raw.received)[number]): boolean => packet.protocol === 58 && icmpOf(packet).rest === mark;
    for (let waited = 0; !raw.received.some(isMark); waited++) {
      if (waited > 5000) throw new Error(`Linux answers nothing any more behind '${row.what}'`);
      await pause(1);
    }
    return raw.received
      .filter((packet) => !isMark(packet))
      .map(textOf)
      .join();
  }

  test('it answers as softnet does, but for what is known to be otherwise', async () => {
    const others: string[] = [];
    for (const row of ROWS) {
      const [name, ours, theirs] = [`${row.rfc} ${row.what}`, row.answers.join(), await answers(row)];
      const known = LINUX.find(([beginning]) => name.startsWith(beginning))?.[1] ?? ours;
      if (theirs !== ours && theirs !== known) others.push(`${name}: Linux says '${theirs}', softnet '${ours}'`);
    }
    expect(others).toEqual([]);
    expect(ROWS.length).toBeGreaterThan(200);
  });
});
