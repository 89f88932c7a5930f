import type { NetworkLayer } from '@softnet/contract';
import { DST_METRIC, Dst, Generation, SockCommon } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Connection } from '../machine/connection.ts';
import { effectiveMss, mssOfMtu, toldMss } from './segment-size.ts';

const IPV4 = { headerBytes: 20 } as NetworkLayer;
const IPV6 = { headerBytes: 40 } as NetworkLayer;

test.each([
  [IPV4, 1500, 1460],
  [IPV6, 1500, 1440],
  [IPV4, 68, 28],
  [IPV4, 30, 0],
  [IPV6, 131_072, 65_535],
])('RFC 9293 §3.7.1, MSS_S: %o, MTU %i', (layer, mtuBytes, mssBytes) => {
  expect(mssOfMtu(mtuBytes, layer)).toBe(mssBytes);
});

test.each([
  // way, peer, user, least
  [1500, 1460, 0, 48, 1460],
  [1500, 1000, 0, 48, 1000],
  [1500, 9000, 0, 48, 1460],
  [1500, 1460, 500, 48, 500],
  [1500, 20, 0, 48, 48],
  [68, 1460, 0, 48, 48],
])('Eff.snd.MSS: MTU %i, peer %i, user %i, tcp_min_snd_mss %i', (mtuBytes, peer, user, minSndMss, mssBytes) => {
  const conn = new Connection(new SockCommon(null as never));
  conn.peerMssBytes = peer;
  conn.userMssBytes = user;
  expect(effectiveMss(conn, mtuBytes, IPV4, { minSndMss })).toBe(mssBytes);
});

test('what a SYN tells: of the way, of the route where it says, of the user where he wants less; 256 at least', () => {
  const dst = new Dst(new Generation(), () => 0);
  dst.mtuBytes = 1500;
  expect([toldMss(dst, IPV4, 0), toldMss(dst, IPV6, 0), toldMss(dst, IPV4, 900), toldMss(dst, IPV4, 2000)]).toEqual([
    1460, 1440, 900, 1460,
  ]);
  dst.metrics = new Int32Array(17);
  dst.metrics[DST_METRIC.ADVMSS] = 1200;
  expect(toldMss(dst, IPV4, 0)).toBe(1200);
  dst.metrics = null;
  dst.mtuBytes = 200;
  expect(toldMss(dst, IPV4, 0)).toBe(256);
});
