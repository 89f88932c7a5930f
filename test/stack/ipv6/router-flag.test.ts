import { NA_FLAG } from '@softnet/ipv6';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOST_LINK, RawPeer } from './raw-peer.ts';
import { ROUTER, router, sendNd } from './router-messages.ts';
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
