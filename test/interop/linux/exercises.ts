import { Captures } from '@softnet/nic-driver';
import type { NetHost } from '@softnet/testkit';
import { pattern } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { expect, test } from 'vitest';
import type { LinuxSide } from './linux-side.ts';
import { tsharkComplaints } from './tshark.ts';

/** softnet's addresses on the link. */
const SOFTNET = Object.freeze(['10.77.0.2', 'fd77::2'] as const);
export const PREFIXES = Object.freeze(['10.77.0.2/24', 'fd77::2/64'] as const);

/** Around every edge: nothing, one frame (1,500 less headers), two, three, and all that IPv4 can carry. */
const SIZES = Object.freeze([
  0, 1, 2, 7, 8, 9, 511, 1400, 1451, 1452, 1453, 1471, 1472, 1473, 2903, 2904, 2905, 2951, 2952, 2953, 9000, 32_768, 65_506, 65_507,
]);
const PING_SIZES = Object.freeze([0, 56, 1452, 1453, 1472, 1473, 8000, 65_507]);
const ECHO_PORT = 7;
const FAMILIES = Object.freeze([0, 1] as const);
const familyName = (family: number): string => (family === 0 ? 'IPv4' : 'IPv6');

/** Who meets whom. */
export interface Meeting {
  readonly linux: LinuxSide;
  readonly host: NetHost;
  /** softnet's device on the link. */
  readonly device: string;
}

/** What softnet, with its echo service, and a real Linux kernel do with one another; a meeting lasts for all of it. */
export function exercises(meet: () => Meeting): void {
  test.each(FAMILIES)('Linux pings softnet over family %i, in all sizes', async (family) => {
    const { linux } = meet();
    for (const size of PING_SIZES) {
      const { code, stdout } = await linux.exec(`ping -c 2 -i 0.2 -W 10 -s ${size} ${SOFTNET[family]}`);
      expect([code, /(\d+)% packet loss/.exec(stdout)?.[1]], `${size} bytes: ${stdout}`).toEqual([0, '0']);
    }
  });

  test.each(FAMILIES)('softnet pings Linux over family %i, in all sizes', async (family) => {
    const { linux, host } = meet();
    for (const lenBytes of PING_SIZES) {
      expect(await host.ping(linux.addresses[family], { lenBytes, timeoutMs: 10_000 })).toMatchObject({ lenBytes });
    }
  });

  test.each(FAMILIES)('Linux sends datagrams to the echo service over family %i, 0 to 65,507 bytes', async (family) => {
    expect(await meet().linux.exchange(SOFTNET[family], ECHO_PORT, SIZES)).toEqual([]);
  });

  test.each(FAMILIES)('softnet sends datagrams to a Linux echo service over family %i, 0 to 65,507 bytes', async (family) => {
    const { linux, host } = meet();
    const end = await linux.serve(7007);
    const user = host.open();
    try {
      user.connect(linux.addresses[family], 7007);
      for (const size of SIZES) {
        const data = pattern(size, 0, size);
        await user.send(data);
        const { data: answer } = await user.receive();
        expect(Buffer.compare(answer, data), `${size} bytes over ${familyName(family)}`).toBe(0);
      }
    } finally {
      user.close();
      end();
    }
  });

  test.each(FAMILIES)('where nobody listens, both sides are told, over family %i', async (family) => {
    const { linux, host } = meet();
    expect(await linux.exchange(SOFTNET[family], 4711, [10])).toEqual([expect.stringMatching(/10: (ECONNREFUSED|Connection refused)/)]);
    const user = host.open();
    user.connect(linux.addresses[family], 4711);
    await user.send(Uint8Array.of(1));
    await expect(user.receive()).rejects.toThrow('ECONNREFUSED');
    user.close();
  });

  test('udp is unloaded in the midst of it: who is inside goes on, nobody new comes in, and it is gone when they are', async () => {
    const { linux, host } = meet();
    const { kernel } = host;
    const end = await linux.serve(7007);
    const user = host.open({ name: 'the last one' });
    user.connect(linux.addresses[0], 7007);
    const unload = kernel.unload('udp');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(() => host.open()).toThrow(/ESHUTDOWN|EPROTONOSUPPORT|ESOCKTNOSUPPORT/);
    expect(kernel.holders('udp').map(({ owner }) => owner)).toContain('the last one');
    await user.send(pattern(1, 0, 5000));
    expect(Buffer.compare((await user.receive()).data, pattern(1, 0, 5000))).toBe(0);
    expect((await linux.exec(`ping -c 1 -W 10 ${SOFTNET[0]}`)).code, 'the rest of the stack lives').toBe(0);
    user.close();
    end();
    expect(await unload).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(await linux.exchange(SOFTNET[0], ECHO_PORT, [10])).toHaveLength(1);
    await kernel.load(UdpModule);
    // The echo service opens its socket again, at the latest after a second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await linux.exchange(SOFTNET[0], ECHO_PORT, [10, 3000])).toEqual([]);
  });

  test('a capture of it all is read by tshark without a complaint', async ({ skip }) => {
    const { linux, host, device } = meet();
    const chunks: Uint8Array[] = [];
    const captures = host.kernel.port(Captures).current;
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    const capture = captures.start({ device: host.device(device), write, epochUs: Date.now() * 1000 }, { name: 'test' });
    for (const family of FAMILIES) {
      await linux.exec(`ping -c 1 -W 10 -s 5000 ${SOFTNET[family]}`);
      await linux.exchange(SOFTNET[family], ECHO_PORT, [0, 1, 1472, 1473, 65_507]);
      await linux.exchange(SOFTNET[family], 4711, [10]);
    }
    capture.close();
    const complaints = await tsharkComplaints(Buffer.concat(chunks));
    if (complaints === null) return skip('tshark is not installed');
    expect(complaints).toEqual({ packets: expect.any(Number), complaints: [] });
    expect(complaints.packets).toBeGreaterThan(100);
  });
}
