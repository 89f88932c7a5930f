import { NA_FLAG } from '@softnet/ipv6';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOST, HOST_LINK, RawPeer } from './raw-peer.ts';
import { ROUTER, redirect, router, sendNd } from './router-messages.ts';
import { routersOf } from './router-net.ts';

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot({ known: false });
});
afterEach(() => peer.end());

const advertised = (flags: number): void =>
  peer.solicit({ target: ROUTER, type: 136, flags: flags | NA_FLAG.OVERRIDE }, { src: ROUTER, dst: HOST_LINK });

test('a default router that says that it is no router any more is none (RFC 4861 §7.2.5)', async () => {
  sendNd(peer, router());
  await peer.net.pass(5);
  advertised(NA_FLAG.ROUTER);
  await peer.net.pass(5);
  expect(routersOf(peer.host)).toHaveLength(1);
  advertised(0);
  await peer.net.pass(5);
  expect(routersOf(peer.host)).toEqual([]);
  sendNd(peer, router());
  await peer.net.pass(5);
  advertised(0);
  await peer.net.pass(5);
  expect(routersOf(peer.host)).toEqual([]);
});

test('one that has not said where it is, and asks like a host, is one all the same', async () => {
  sendNd(peer, router({ linkAddress: null }));
  await peer.net.pass(5);
  peer.solicit({ target: HOST_LINK }, { src: ROUTER, dst: 'ff02::1:ff00:1' });
  await peer.net.pass(5);
  expect(routersOf(peer.host)).toHaveLength(1);
  // What it says next makes it one whose neighbour is known as a router.
  sendNd(peer, router({ linkAddress: null }));
  await peer.net.pass(5);
  advertised(0);
  await peer.net.pass(5);
  expect(routersOf(peer.host)).toEqual([]);
});

describe('a redirect (RFC 4861 §8.3)', () => {
  const FAR = '2001:db8::5';
  const BETTER = 'fe80::7';
  const user = (): ReturnType<RawPeer['host']['open']> => peer.host.open();
  const sent = async (ms?: number): Promise<string[]> => (await peer.answers(ms)).map(({ protocol, dst }) => `${protocol} to ${dst}`);

  test('says where the better hop is: nobody asks for it', async () => {
    sendNd(peer, router());
    sendNd(peer, redirect(BETTER, FAR), { dst: HOST });
    await peer.net.pass(5);
    peer.received.length = 0;
    const one = user();
    await peer.net.run(one.send(Uint8Array.of(1), FAR, 9));
    expect(await sent()).toEqual([`17 to ${FAR}`]);
    one.close();
  });

  test('to a hop that does not answer is forgotten: the one before serves again', async () => {
    sendNd(peer, router());
    sendNd(peer, redirect(BETTER, FAR, null), { dst: HOST });
    await peer.net.pass(5);
    peer.received.length = 0;
    const one = user();
    await peer.net.run(one.send(Uint8Array.of(1), FAR, 9));
    await peer.net.pass(4000);
    expect(new Set(await sent())).toEqual(new Set(['58 to ff02::1:ff00:7']));
    await peer.net.run(one.send(Uint8Array.of(1), FAR, 9)).catch(() => {});
    await peer.net.run(one.send(Uint8Array.of(1), FAR, 9));
    expect(await sent()).toContain(`17 to ${FAR}`);
    one.close();
  });
});
