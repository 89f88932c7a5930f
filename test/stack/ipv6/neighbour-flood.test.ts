import { ADDRESS_FAMILY, Neighbours } from '@softnet/contract';
import { NA_FLAG } from '@softnet/ipv6';
import { formatIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOST, PEER, RawPeer } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
/** Strangers of each kind; with SOFTNET_SIMULATION=whole a million in all. */
const FLOOD = process.env.SOFTNET_SIMULATION === 'whole' ? 500_000 : 10_000;
const BATCH = 200;
const WARM = 4000;
const LIMIT = 1024;

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
});
afterEach(() => peer.end());

test('solicitations from strangers, and packets to strangers of a /64 on the link: neighbours are as many as may be, memory is flat, who is there is served', {
  timeout: 300_000,
}, async () => {
  const { kernel } = peer.host;
  const visited = (): number => kernel.counters().find(({ name }) => name.endsWith('neighbours-visited'))!.value;
  const user = peer.host.open();
  let [mostVisited, served, heapBytes] = [0, 0, 0];
  for (let i = 0; i < FLOOD; i += BATCH) {
    for (let n = i; n < i + BATCH; n++) {
      peer.solicit({ target: HOST }, { src: formatIpv6(0xfd000000 | 0, 0, 1, n), dst: HOST });
      user.trySend(Uint8Array.of(1), formatIpv6(0xfd000000 | 0, 0, 2, n), 9);
    }
    // Who is there answers when he is asked whether he is.
    peer.solicit({ target: PEER, type: 136, flags: NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE }, { src: PEER, dst: HOST });
    const before = visited();
    await peer.net.pass(25);
    mostVisited = Math.max(mostVisited, visited() - before);
    peer.received.length = 0;
    peer.icmp({ type: 128, payload: new Uint8Array(8) }, { dst: HOST });
    if ((await peer.messages()).includes('129')) served++;
    if (i === WARM) heapBytes = heapNow();
  }
  expect(kernel.port(Neighbours).current.entries(INET6).length).toBeLessThanOrEqual(LIMIT);
  // A few slices of sweeps, and one for each newcomer.
  expect(mostVisited).toBeLessThanOrEqual(2 * BATCH + 5 * 160);
  expect(served).toBe(FLOOD / BATCH);
  expect(heapNow() - heapBytes).toBeLessThan(1 << 20);
  user.close();
});

function heapNow(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
