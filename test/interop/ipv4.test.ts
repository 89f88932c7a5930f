import { execFileSync } from 'node:child_process';
import { Devices } from '@softnet/contract';
import type { Capture } from '@softnet/nic-driver';
import { Captures } from '@softnet/nic-driver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TapRouter } from '../stack/nic-driver/tap-router.ts';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints } from './linux/tshark.ts';

/** Linux, our router's addresses, and Linux again. */
const [LEFT, LEFT_ROUTER, RIGHT_ROUTER, RIGHT] = ['10.88.0.1', '10.88.0.2', '10.88.1.2', '10.88.1.1'];
const SIDES = Object.freeze([LEFT, RIGHT]);
const SIZES = Object.freeze([0, 1, 56, 1472, 1473, 8000, 65_507]);
/** IPv6 wants 1,280. */
const NARROW_BYTES = 1300;

function hasTraceroute(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v traceroute'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(skipAloud('IPv4 between namespaces, by our router', netnsSkipReason()))('IPv4 between two Linux, by our router', () => {
  let router: TapRouter;
  let capture: Capture;
  const chunks: Uint8Array[] = [];

  const ping = (side: number, ...words: readonly string[]): Promise<string> =>
    router.run(side, 'ping', '-n', '-c', '1', '-W', '10', ...words);
  const setMtu = (mtuBytes: number): void => router.host.kernel.port(Devices).current.setMtu(router.devices[1]!, mtuBytes);
  const setLinuxMtu = (mtuBytes: number): void =>
    void router.sides[1]!.ip('link', 'set', `${router.sides[1]!.tag}t`, 'mtu', String(mtuBytes));

  beforeAll(async () => {
    router = await TapRouter.boot();
    for (let side = 0; side < SIDES.length; side++) await router.join('tap');
    const { sysctl } = router.host.kernel;
    sysctl.set('net.ipv4.icmp_ratelimit', 0);
    sysctl.set('net.ipv4.icmp_echo_ignore_broadcasts', false);
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    capture = router.host.kernel.port(Captures).current.start({ device: null, write, epochUs: Date.now() * 1000 }, { name: 'test' });
  });
  afterAll(async () => {
    await router?.close();
  });

  test.each([0, 1])('pings of all sizes pass, from side %i', async (side) => {
    for (const size of SIZES) expect(await ping(side, '-s', String(size), SIDES[1 - side]!), `${size} bytes`).toContain(' 0% packet loss');
  });

  test.each([0, 1])('the router itself puts together what it gets, and is put together, on side %i', async (side) => {
    expect(await ping(side, '-s', '65507', [LEFT_ROUTER, RIGHT_ROUTER][side]!)).toContain(' 0% packet loss');
    expect(await router.host.ping(SIDES[side]!, { lenBytes: 65_507, timeoutMs: 10_000 })).toMatchObject({ lenBytes: 65_507 });
  });

  test('a route is traced', async () => {
    if (hasTraceroute()) {
      const hops = await router.run(0, 'traceroute', '-I', '-n', '-q', '1', '-w', '2', RIGHT);
      expect(hops).toMatch(new RegExp(`1 +${LEFT_ROUTER}[^]*2 +${RIGHT}`));
    }
    expect(await ping(0, '-t', '1', RIGHT)).toMatch(new RegExp(`From ${LEFT_ROUTER}.*Time to live exceeded`));
    expect(await ping(1, '-t', '1', LEFT)).toMatch(new RegExp(`From ${RIGHT_ROUTER}.*Time to live exceeded`));
    expect(await ping(0, '-t', '2', RIGHT)).toContain(' 0% packet loss');
  });

  test('routes are recorded both ways (ping -R)', async () => {
    const hops = [...(await ping(0, '-R', RIGHT)).matchAll(/^(?:RR:)?\s+(10\.88\.\d\.\d)$/gm)].map(([, hop]) => hop);
    expect(hops).toEqual([LEFT, RIGHT_ROUTER, RIGHT, RIGHT, LEFT_ROUTER, LEFT]);
  });

  test('so are times (ping -T), with and without who was there', async () => {
    const stamps = (text: string): number => [...text.matchAll(/^(?:TS:)?\s+.*(?:absolute|-?\d+).*$/gm)].length;
    expect(stamps(await ping(0, '-T', 'tsonly', RIGHT))).toBeGreaterThanOrEqual(4);
    const both = await ping(0, '-T', 'tsandaddr', RIGHT);
    for (const address of [LEFT, RIGHT_ROUTER, RIGHT]) expect(both).toContain(address);
    const asked = await ping(0, '-T', 'tsprespec', LEFT_ROUTER, RIGHT, RIGHT);
    expect([asked.includes(LEFT_ROUTER), asked.includes(' 0% packet loss')]).toEqual([true, true]);
  });

  test('all on a link are pinged', async () => {
    expect(await ping(0, '-b', '10.88.0.255')).toMatch(new RegExp(`from ${LEFT_ROUTER}`));
    // All of the other link are not: that is not passed on (RFC 2644).
    expect(await ping(0, '-b', '-W', '1', '10.88.1.255')).not.toContain(`from ${RIGHT}`);
  });

  test('where no way leads, nobody answers, or what is asked for is not there, senders are told', async () => {
    expect(await ping(0, '192.0.2.1')).toMatch(new RegExp(`From ${LEFT_ROUTER}.*Destination Net Unreachable`));
  });

  describe('behind a narrow link', () => {
    beforeAll(() => {
      setMtu(NARROW_BYTES);
      setLinuxMtu(NARROW_BYTES);
    });

    test('what may be cut is cut, and comes whole', async () => {
      for (const size of [NARROW_BYTES - 28, NARROW_BYTES - 27, 1472, 4000, 65_507]) {
        expect(await ping(0, '-M', 'dont', '-s', String(size), RIGHT), `${size} bytes`).toContain(' 0% packet loss');
        expect(await ping(1, '-M', 'dont', '-s', String(size), LEFT), `${size} bytes back`).toContain(' 0% packet loss');
      }
    });

    test('who wants nothing cut is told how much fits, and Linux remembers', async () => {
      expect(await ping(0, '-M', 'do', '-s', '1400', RIGHT)).toMatch(
        new RegExp(`From ${LEFT_ROUTER}.*[Ff]rag needed.*mtu = ${NARROW_BYTES}`),
      );
      expect(router.sides[0]!.ip('route', 'get', RIGHT)).toContain(`mtu ${NARROW_BYTES}`);
      expect(await ping(0, '-M', 'do', '-s', String(NARROW_BYTES - 28), RIGHT)).toContain(' 0% packet loss');
    });

    test('a capture of it all is read by tshark without a complaint', async ({ skip }) => {
      capture.close();
      const reading = await tsharkComplaints(Buffer.concat(chunks));
      if (reading === null) return skip('tshark is not installed');
      expect(reading.complaints).toEqual([]);
      expect(reading.packets).toBeGreaterThan(300);
    });

    test('TCP of Linux finds its way through, though its peer knows nothing of it', async () => {
      setLinuxMtu(1500);
      router.sides[0]!.ip('route', 'flush', 'cache');
      await router.serve(1);
      expect(await router.streams(0, 1, 300_000)).toMatchObject([
        { same: true, error: null },
        { same: true, error: null },
      ]);
      expect(router.sides[0]!.ip('route', 'get', RIGHT)).toContain(`mtu ${NARROW_BYTES}`);
    });
  });
});
