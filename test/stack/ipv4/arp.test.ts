import { Neighbours } from '@softnet/contract';
import { formatMac } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVERYBODY, HOST, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
});
afterEach(async () => {
  await link.close();
});

const known = (): string[] =>
  link.host.kernel
    .port(Neighbours)
    .current.entries(INET)
    .filter(({ device }) => device.name === 'eth0')
    .map(({ linkAddress }) => formatMac(linkAddress));

describe('who asks', () => {
  test('for an address of ours is answered, and known', async () => {
    const { peer, net } = link;
    peer.arp({});
    await net.pass(1);
    const [reply, ...more] = peer.takeArp();
    expect(more).toEqual([]);
    expect(reply).toMatchObject({ operation: 2, sender: word(HOST), target: word(PEER), targetLink: mac(PEER_MAC), to: PEER_MAC });
    expect(formatMac(reply!.senderLink)).toBe(peer.mac);
    expect(known()).toEqual([PEER_MAC]);
  });

  test('for an address of ours as a probe is answered, and not known (RFC 5227)', async () => {
    const { peer, net } = link;
    peer.arp({ sender: 0 });
    await net.pass(1);
    expect(peer.takeArp()).toMatchObject([{ operation: 2, sender: word(HOST), target: 0 }]);
    expect(known()).toEqual([]);
  });

  test('for the address of another, or announces himself, is not answered, and not made known', async () => {
    const { peer, net } = link;
    peer.arp({ target: word('10.0.0.7') });
    peer.arp({ target: word(PEER) });
    peer.arp({ operation: 2, target: word(PEER) });
    await net.pass(1);
    expect(peer.takeArp()).toEqual([]);
    expect(known()).toEqual([]);
  });

  test('and moved, is found where he is now', async () => {
    const { peer, net } = link;
    await peer.introduce(net);
    peer.arp({ operation: 1, target: word(PEER), senderLink: mac('02:00:00:00:00:77') });
    await net.pass(1);
    expect(known()).toEqual(['02:00:00:00:00:77']);
  });
});

describe('whom we ask', () => {
  test('is asked by all the link, from the address of his net, and gets what waited', async () => {
    const { peer, net, host } = link;
    host.addAddress('eth0', '192.168.7.1/24');
    const user = host.open({ family: INET });
    await net.run(user.send(Uint8Array.of(1, 2, 3), '192.168.7.5', 9));
    await net.pass(1);
    const [request, ...more] = peer.takeArp();
    expect(more).toEqual([]);
    expect(request).toMatchObject({ operation: 1, sender: word('192.168.7.1'), target: word('192.168.7.5'), to: EVERYBODY });
    expect([...request!.targetLink]).toEqual([0, 0, 0, 0, 0, 0]);
    peer.arp({ operation: 2, sender: word('192.168.7.5'), target: word('192.168.7.1') }, peer.mac);
    await net.pass(1);
    expect(peer.frames).toMatchObject([{ dst: PEER_MAC, type: 0x800 }]);
    expect(peer.takeIp()).toMatchObject([{ src: '192.168.7.1', dst: '192.168.7.5', protocol: 17 }]);
    user.close();
  });

  test('and does not answer: a socket that wants to know is told EHOSTUNREACH', async () => {
    const { net, host } = link;
    const user = host.open({ family: INET });
    expect(user.sock.ops.calls!.setOption(user.sock, 0, 11, Uint8Array.of(1, 0, 0, 0))).toBe(0);
    await net.run(user.send(Uint8Array.of(1), '10.0.0.77', 9));
    await expect(net.run(user.receive())).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
    await net.run(user.send(new Uint8Array(5000), '10.0.0.78', 9));
    await expect(net.run(user.receive())).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
    expect(link.peer.takeArp().length).toBe(6);
    user.close();
  });

  test('broadcast and groups need no asking', async () => {
    const { peer, net, host } = link;
    const user = host.open({ family: INET });
    user.sock.flags |= 8;
    await net.run(user.send(Uint8Array.of(1), '10.0.0.255', 9));
    await net.pass(1);
    expect(peer.frames).toMatchObject([{ dst: EVERYBODY, type: 0x800 }]);
    peer.frames.length = 0;
    host.addRoute('224.0.0.0/4', { dev: 'eth0' });
    await net.run(user.send(Uint8Array.of(1), '239.129.2.3', 9));
    await net.pass(1);
    expect(peer.frames).toMatchObject([{ dst: '01:00:5e:01:02:03', type: 0x800 }]);
    expect(peer.takeIp()).toMatchObject([{ ttl: 1 }]);
    user.close();
  });
});
