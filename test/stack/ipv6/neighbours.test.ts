import { ADDRESS_FAMILY, NEIGHBOUR_STATE, Neighbours } from '@softnet/contract';
import { NA_FLAG, ND_HOP_LIMIT, parseNeighbour } from '@softnet/ipv6';
import { formatIpv6, formatMac, ICMPV6_TYPE, parseMac } from '@softnet/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { HOST, HOST_LINK, icmpOf, PEER, PEER_MAC, RawPeer } from './raw-peer.ts';

const { NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT } = ICMPV6_TYPE;

let peer: RawPeer;
afterEach(() => peer.end());

/** Solicitations and advertisements that the host sends: who, to whom, about whom, with which flags and link address. */
async function heard(ms = 5): Promise<string[]> {
  return (await peer.answers(ms)).map((packet) => {
    const message = parseNeighbour(icmpOf(packet), 6)!;
    const kind = message.type === NEIGHBOR_SOLICITATION ? 'NS' : 'NA';
    const flags = [
      message.flags & NA_FLAG.ROUTER && 'R',
      message.flags & NA_FLAG.SOLICITED && 'S',
      message.flags & NA_FLAG.OVERRIDE && 'O',
    ];
    expect(packet.hopLimit).toBe(ND_HOP_LIMIT);
    expect(message.linkAddress === null ? null : formatMac(message.linkAddress)).toBe('02:00:00:00:00:01');
    return `${kind}${flags
      .filter(Boolean)
      .map((each) => ` ${each}`)
      .join('')} ${packet.src} > ${packet.dst}: ${formatIpv6(...message.target)}`;
  });
}

function table(): string[] {
  const { kernel } = peer.host;
  const all = kernel.port(Neighbours).current.entries(ADDRESS_FAMILY.INET6);
  const names = new Map(Object.entries(NEIGHBOUR_STATE).map(([name, state]) => [state as number, name]));
  return all
    .filter(({ device, address0 }) => device.name === 'eth0' && address0 >>> 24 !== 0xff)
    .map(
      (n) =>
        `${formatIpv6(n.address0, n.address1, n.address2, n.address3)} ${names.get(n.state)} ${formatMac(n.linkAddress)}${n.isRouter ? ' router' : ''}`,
    );
}

describe('RFC 4861 §7.2.3, §7.2.4: answers solicitations', () => {
  test('by multicast, by unicast, for its link-local address; learns who asks', async () => {
    peer = await RawPeer.boot({ known: false });
    peer.solicit({ target: HOST }, { dst: 'ff02::1:ff00:1' });
    expect(await heard()).toEqual([`NA S O ${HOST} > ${PEER}: ${HOST}`]);
    expect(table()).toEqual([`${PEER} DELAY ${PEER_MAC}`]);
    peer.solicit({ target: HOST, linkAddress: null });
    expect(await heard()).toEqual([`NA S O ${HOST} > ${PEER}: ${HOST}`]);
    peer.solicit({ target: HOST_LINK }, { dst: 'ff02::1:ff00:1', src: 'fe80::9' });
    expect(await heard()).toEqual([`NA S O ${HOST_LINK} > fe80::9: ${HOST_LINK}`]);
  });

  test('from nobody (duplicate address detection): to all nodes, not solicited; as a router', async () => {
    peer = await RawPeer.boot();
    peer.host.kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    peer.solicit({ target: HOST, linkAddress: null }, { src: '::', dst: 'ff02::1:ff00:1' });
    expect(await heard()).toEqual([`NA R O ${HOST} > ff02::1: ${HOST}`]);
  });

  test('not about others, not when a message is not valid, not from itself', async () => {
    peer = await RawPeer.boot();
    peer.drops();
    peer.solicit({ target: 'fd00::2:1' }, { dst: 'ff02::1:ff00:1' });
    peer.solicit({ target: HOST }, { hopLimit: 64 });
    peer.solicit({ target: HOST }, { src: HOST });
    expect(await heard()).toEqual([]);
    expect(peer.drops()).toEqual(['nd.not-ours', 'nd.conflict', 'nd.hop-limit']);
    expect(table()).toHaveLength(2);
  });

  test('an advertisement of our own address is a conflict; one of a router that is none by default is none of a neighbour', async () => {
    peer = await RawPeer.boot();
    peer.drops();
    peer.solicit({ target: HOST, type: 136, flags: NA_FLAG.OVERRIDE });
    peer.icmp({ type: 134, payload: new Uint8Array(8) }, { hopLimit: 255, src: 'fe80::9', dst: 'ff02::1' });
    peer.icmp({ type: 130, payload: new Uint8Array(16) }, { hopLimit: 1, src: 'fe80::9', dst: 'ff02::1' });
    expect(await heard()).toEqual([]);
    expect(peer.drops().sort()).toEqual(['mld.router-alert', 'nd.conflict']);
  });
});

describe('RFC 4861 §7.2.2, §7.2.5: asks', () => {
  test('by multicast, from the source of the packet that waits; sends it when the answer has come', async () => {
    peer = await RawPeer.boot({ known: false });
    const user = peer.host.open();
    user.bind(HOST, 5000);
    await peer.net.run(user.send(Uint8Array.of(1, 2, 3), PEER, 7));
    expect(await heard()).toEqual([`NS ${HOST} > ff02::1:ff00:9: ${PEER}`]);
    expect(table()).toEqual([`${PEER} INCOMPLETE 00:00:00:00:00:00`]);
    peer.solicit({ target: PEER, type: NEIGHBOR_ADVERTISEMENT, flags: NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE | NA_FLAG.ROUTER });
    expect((await peer.answers()).map(({ protocol, payload }) => [protocol, [...payload.subarray(8)]])).toEqual([[17, [1, 2, 3]]]);
    expect(table()).toEqual([`${PEER} REACHABLE ${PEER_MAC} router`]);
    user.close();
  });

  test('three times, and tells the socket that nobody answers', async () => {
    peer = await RawPeer.boot({ known: false });
    const user = peer.host.open();
    user.connect('fd00::77', 7);
    user.sock.flags |= 0x80; // RECVERR
    await peer.net.run(user.send(Uint8Array.of(1)));
    expect(await heard(5000)).toEqual(new Array(3).fill(`NS ${HOST} > ff02::1:ff00:77: fd00::77`));
    await expect(peer.net.run(user.receive())).rejects.toThrow('EHOSTUNREACH');
    expect(peer.drops()).toContain('ipv6.address-unreachable');
    user.close();
  });

  test('by unicast, when it has not heard for long; a link address need not be in the answer', async () => {
    peer = await RawPeer.boot();
    const user = peer.host.open();
    await peer.net.run(user.send(Uint8Array.of(1), PEER, 7));
    expect((await peer.answers(10)).map(({ protocol }) => protocol)).toEqual([17]);
    expect((await heard(6000))[0]).toBe(`NS ${HOST_LINK} > ${PEER}: ${PEER}`);
    peer.solicit({ target: PEER, type: NEIGHBOR_ADVERTISEMENT, flags: NA_FLAG.SOLICITED, linkAddress: null });
    await peer.net.pass(1);
    expect(table()).toContain(`${PEER} REACHABLE ${PEER_MAC}`);
    user.close();
  });

  test('an answer that nobody asked for makes no neighbour; one without the address that is wanted says nothing', async () => {
    peer = await RawPeer.boot({ known: false });
    peer.solicit({ target: 'fd00::55', type: NEIGHBOR_ADVERTISEMENT, flags: NA_FLAG.OVERRIDE });
    await peer.net.pass(1);
    expect(table()).toEqual([]);
    void peer.host.open().send(Uint8Array.of(1), PEER, 7);
    await peer.net.pass(1);
    peer.drops();
    peer.solicit({ target: PEER, type: NEIGHBOR_ADVERTISEMENT, flags: NA_FLAG.SOLICITED, linkAddress: null });
    await peer.net.pass(1);
    expect([peer.drops(), table()]).toEqual([['nd.no-link-address'], [`${PEER} INCOMPLETE 00:00:00:00:00:00`]]);
  });

  test('without override a known link address stays', async () => {
    peer = await RawPeer.boot();
    const mac = '02:00:00:00:00:77';
    expect(parseMac(mac)).not.toBeNull();
    peer.solicit({ target: PEER, type: NEIGHBOR_ADVERTISEMENT, linkAddress: mac });
    await peer.net.pass(1);
    expect(table().filter((each) => each.startsWith(`${PEER} `))[0]).toContain(PEER_MAC);
    peer.solicit({ target: PEER, type: NEIGHBOR_ADVERTISEMENT, flags: NA_FLAG.OVERRIDE, linkAddress: mac });
    await peer.net.pass(1);
    expect(table().filter((each) => each.startsWith(`${PEER} `))[0]).toContain(mac);
  });
});
