import { emitUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOST, RawLink } from './raw-link.ts';

const INET = 2;
const LIMIT_BYTES = 400_000;
const ROUNDS = 16;
/** What can wait, if each fragment is charged for a whole buffer. */
const TABLE = LIMIT_BYTES / 2300;

let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.host.kernel.sysctl.set('net.ipv4.ipfrag_high_thresh', LIMIT_BYTES);
});
afterEach(async () => {
  await link.net.pass(60_000);
  expect(link.skbsOut).toBe(0);
  await link.close();
});

/** Numbers that look like chance, the same for the same seed: mulberry32. */
function chance(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let hash = Math.imul(state ^ (state >>> 15), 1 | state);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) % bound;
  };
}

/** Who floods, and with how many fragments between two of a true datagram. */
const FLOODS = [
  ['one host', () => '10.0.0.66', 2 * TABLE],
  ['a dozen hosts', (below: (bound: number) => number) => `10.0.0.${100 + below(12)}`, 2 * TABLE],
  // Whose senders nobody can tell from others: those who are quick get through.
  ['addresses that are made up', (below: (bound: number) => number) => `172.${16 + below(16)}.${below(256)}.${1 + below(254)}`, TABLE / 4],
] as const;

describe.each(FLOODS)('fragments that lead nowhere, of %s', (_, sourceOf, flood) => {
  test.each([1, 2])('seed %i: memory is flat, and true datagrams come whole', async (seed) => {
    const { host, peer, net } = link;
    const below = chance(seed);
    const user = host.open({ family: INET });
    user.bind(HOST, 7);
    const payload = Uint8Array.from({ length: 4000 }, (_, i) => (i * 13) & 0xff);
    const whole = emitUdp({ srcPort: 9, dstPort: 7, checksum: 0, payload });
    let mostOut = 0;
    let came = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const src = `10.0.0.${10 + (round % 5)}`;
      for (let from = 0; from < whole.length; from += 1336) {
        const flags = { id: round, fragmentOffsetBytes: from, moreFragments: from + 1336 < whole.length };
        peer.ip({ src, ...flags, payload: whole.subarray(from, from + 1336) });
        for (let i = 0; i < flood; i++) {
          const nowhere = { src: sourceOf(below), id: below(65_536), fragmentOffsetBytes: below(100) * 8 };
          peer.ip({ ...nowhere, moreFragments: below(8) > 0, payload: new Uint8Array(8 * (1 + below(150))) });
          if (i % 50 === 0) await net.pass(1);
        }
        await net.pass(1);
        mostOut = Math.max(mostOut, link.skbsOut);
      }
      for (let got = user.tryReceive(); typeof got !== 'number'; got = user.tryReceive()) {
        expect(Buffer.compare(got.data, payload)).toBe(0);
        came++;
      }
    }
    console.info(`seed ${seed}: ${came} of ${ROUNDS} true datagrams came, ${mostOut} packets were out at most`);
    expect(came).toBe(ROUNDS);
    expect(mostOut).toBeLessThan(TABLE * 1.5);
    user.close();
  });
});
