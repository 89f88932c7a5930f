import { Devices } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { pattern } from '@softnet/testkit';
import { afterEach, expect, test } from 'vitest';
import type { StackedNet } from './stacked-net.ts';
import { B_INSIDE, packetsOut, stackedNet } from './stacked-net.ts';
import { TAG_BYTES } from './tag-module.ts';

const INET = 2;
/** Of the link between the router and b. */
const NARROW = 1000;
const TUBE = 20;
const VEIL = 12;

let all: StackedNet;
/** b knows it, a does not. */
function narrow(mtuBytes: number): void {
  const { r, b } = all;
  r.kernel.port(Devices).current.setMtu(r.device('eth1'), mtuBytes);
  const { current } = b.kernel.port(Devices);
  current.setMtu(b.device('eth0'), mtuBytes);
  current.setMtu(b.device('tube0'), mtuBytes - TAG_BYTES - TUBE);
}
afterEach(async () => {
  expect(packetsOut(all)).toEqual([0, 0, 0, 0]);
  await all.net.dispose();
});

/** Sends until an echo comes back; how many were sent. */
async function sendsUntilEcho(host: NetHost, size: number, tries = 6): Promise<number> {
  const user = host.open({ family: INET });
  user.connect(B_INSIDE, 7);
  try {
    for (let sent = 1; sent <= tries; sent++) {
      user.trySend(pattern(size, 0, size));
      await all.net.pass(50);
      const got = user.tryReceive();
      if (typeof got !== 'number') {
        expect(Buffer.compare(got.data, pattern(size, 0, size))).toBe(0);
        return sent;
      }
      user.tryReceive();
    }
    return Number.POSITIVE_INFINITY;
  } finally {
    user.close();
  }
}

/** The MTU that a flow to the other end of the tube finds here. */
function mtuOf(host: NetHost): number {
  const user = host.open({ family: INET });
  user.connect(B_INSIDE, 7);
  user.trySend(new Uint8Array(1));
  const { mtuBytes } = user.sock.dst!.dst!;
  user.close();
  return mtuBytes;
}

test.each([false, true])(
  'a narrow link under a tunnel: too big for the outer packet is too big for the inner one (veiled: %s)',
  async (veiled) => {
    all = await stackedNet({ veiled });
    const veil = veiled ? VEIL : 0;
    expect(mtuOf(all.a)).toBe(1476 - veil);
    narrow(NARROW);
    // The first is refused on the way, outside; the next is made to fit.
    expect(await sendsUntilEcho(all.a, 1200)).toBe(2);
    expect(mtuOf(all.a)).toBe(NARROW - TUBE - veil);
    expect(all.r.kernel.dropReasons().find(({ name }) => name === 'ipv4.too-big')?.count).toBe(1);
    expect(await sendsUntilEcho(all.a, 1200)).toBe(1);
  },
);

test('a client behind the tunnel is told by the host where it begins', async () => {
  all = await stackedNet({ veiled: false });
  narrow(NARROW);
  // Refused outside, then by the tunnel, which says so to the client; the third is cut by the client.
  expect(await sendsUntilEcho(all.c, 1200)).toBe(3);
  expect(mtuOf(all.c)).toBe(NARROW - TUBE);
  expect(all.a.kernel.dropReasons().find(({ name }) => name === 'tube.too-big')?.count).toBe(1);
  expect(await sendsUntilEcho(all.c, 1200)).toBe(1);
});

test('what is known of a path is forgotten in its time, on each layer', async () => {
  all = await stackedNet();
  narrow(NARROW);
  expect(await sendsUntilEcho(all.a, 1200)).toBe(2);
  narrow(1500);
  await all.net.pass(700_000);
  expect(mtuOf(all.a)).toBe(1476 - VEIL);
  expect(await sendsUntilEcho(all.a, 1200)).toBe(1);
});
