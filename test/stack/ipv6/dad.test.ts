import type { AddressListener, ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FLAG, AddressListener as Listener, Module } from '@softnet/contract';
import type { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK } from '@softnet/testkit';
import type { Ipv6Packet } from '@softnet/wire';
import { formatIpv6 } from '@softnet/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { Hub } from '../ipv4/hub.ts';
import { entriesOf, LOUD, wordsOf } from './address-words.ts';
import { nextGeneration, WAYS_ON } from './next-generation.ts';
import { HOST, HOST_LINK, icmpOf, PEER, RawPeer } from './raw-peer.ts';

const NS = 135;
const NA = 136;
const CONF = 'net.ipv6.conf.eth0';
const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));

/** Solicitations of who has no address yet: 'fd00::1', with the length of what is behind their fixed part. */
function probes(packets: readonly Ipv6Packet[]): string[] {
  return packets
    .filter(({ src, protocol, payload }) => src === '::' && protocol === 58 && payload[0] === NS)
    .map((packet) => `${targetOf(packet)} ${packet.payload.length - 24}`);
}

function targetOf(packet: Ipv6Packet): string {
  const { payload } = packet;
  const word = (at: number): number => new DataView(payload.buffer, payload.byteOffset).getInt32(8 + at);
  return formatIpv6(word(0), word(4), word(8), word(12));
}

describe('duplicate address detection (RFC 4862 §5.4)', () => {
  let peer: RawPeer;
  afterEach(() => peer.end());
  const boot = async (settings: Record<string, number> = {}): Promise<void> => {
    peer = await RawPeer.boot({ known: false, settings: { ...LOUD, ...settings } });
  };
  const probe = (target: string, options: number[] = []): void => {
    const group = `ff02::1:ff00:${Number.parseInt(target.split('::')[1]!, 16).toString(16)}`;
    const words = target === HOST ? [0xfd00, 0, 0, 0, 0, 0, 0, 1] : [0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1];
    const payload = Uint8Array.from([...words.flatMap((word) => [word >>> 8, word & 0xff]), ...options]);
    peer.icmp({ type: NS, payload }, { src: '::', dst: group, hopLimit: 255 });
  };

  test('each address is asked for once, from nobody, with a nonce, and may be used a second later', async () => {
    await boot();
    expect(wordsOf(peer.host)).toEqual([`${HOST_LINK} tentative`, `${HOST} tentative`]);
    const sent = await peer.answers(2100);
    expect(probes(sent).sort()).toEqual([`${HOST} 8`, `${HOST_LINK} 8`].sort());
    for (const packet of sent.filter(({ src }) => src === '::')) {
      expect([packet.hopLimit, packet.dst, icmpOf(packet).payload[16]]).toEqual([255, 'ff02::1:ff00:1', 14]);
    }
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, HOST]);
    expect(probes(await peer.answers(60_000))).toEqual([]);
  });

  test('who waits for addresses goes on when none is tentative, or is told which is', async () => {
    await boot();
    await expect(peer.net.run(peer.host.addressesSettled(100))).rejects.toMatchObject({
      message: expect.stringMatching(/^ETIMEDOUT: f\S+ on eth0 is tentative still, after 100 ms/),
    });
    await peer.net.run(peer.host.addressesSettled());
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, HOST]);
  });

  test('until then nobody can use it: not who binds, not who sends, not who asks for it', async () => {
    await boot();
    const user = peer.host.open();
    expect(() => user.bind(HOST, 7)).toThrow('EADDRNOTAVAIL');
    const why = await peer.net.run(peer.host.ping(PEER, { timeoutMs: 10 })).catch((error) => error.code);
    expect(why).toBe('EADDRNOTAVAIL');
    peer.drops();
    peer.solicit({ target: HOST }, { src: PEER, dst: 'ff02::1:ff00:1' });
    peer.icmp({ type: 128 });
    expect((await peer.answers(5)).filter(({ src }) => src !== '::')).toEqual([]);
    expect(peer.drops()).toEqual(['ipv6.not-forwarding', 'nd.not-ours']);
    await peer.answers(2100);
    user.bind(HOST, 7);
    peer.solicit({ target: HOST }, { src: PEER, dst: 'ff02::1:ff00:1' });
    expect(await peer.messages()).toEqual([`136 to ${PEER}`]);
    user.close();
  });

  test('who has an address that we wanted is a neighbour as any other (RFC 4862 §5.4.5)', async () => {
    await boot();
    await peer.net.pass(3000);
    peer.host.addAddress('eth0', 'fd00::5/64');
    await peer.net.pass(5);
    peer.solicit({ type: NA, target: 'fd00::5', flags: 0x20000000 }, { src: 'fd00::5', dst: 'ff02::1' });
    await peer.net.pass(5);
    expect(wordsOf(peer.host).at(-1)).toBe('fd00::5 tentative failed');
    const user = peer.host.open();
    user.bind(HOST, 0);
    user.connect('fd00::5', 9);
    await peer.answers();
    await user.send(Uint8Array.of(1));
    expect(await peer.messages()).toEqual(['135 to ff02::1:ff00:5']);
    peer.solicit({ type: NA, target: 'fd00::5', flags: 0x60000000 }, { src: 'fd00::5', dst: HOST });
    expect(await peer.messages()).toEqual(['protocol 17']);
    peer.solicit({ target: HOST }, { src: 'fd00::5', dst: HOST });
    expect(await peer.messages()).toEqual(['136 to fd00::5']);
    user.close();
  });

  test.each<[string, () => void]>([
    ['an advertisement', () => peer.solicit({ type: NA, target: HOST, flags: 0x20000000 }, { src: HOST, dst: 'ff02::1' })],
    ['a solicitation of another who tries it', () => probe(HOST)],
    ['one with another nonce', () => probe(HOST, [14, 1, 1, 2, 3, 4, 5, 6])],
  ])('%s says that it is taken', async (_what, say) => {
    await boot();
    const heard: string[] = [];
    await peer.net.run(peer.host.kernel.load(hearing(heard)));
    peer.drops();
    say();
    await peer.net.pass(5);
    expect(peer.drops()).toEqual(['nd.conflict']);
    expect(wordsOf(peer.host)).toEqual([`${HOST_LINK} tentative`, `${HOST} tentative failed`]);
    expect(heard).toEqual([`replace ${HOST} failed`]);
    await peer.net.pass(60_000);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, `${HOST} tentative failed`]);
    expect(peer.host.kernel.logs.filter(({ message }) => message.startsWith(`${HOST} on eth0: another host has it`))).toHaveLength(1);
  });

  test('its own solicitation, sent back by the link, is none; three more follow it (RFC 7527)', async () => {
    await boot();
    let count = 0;
    for (let ms = 0; ms < 2000 && count === 0; ms += 10) {
      for (const packet of await peer.answers(10)) {
        if (probes([packet]).length === 0 || targetOf(packet) !== HOST) continue;
        count++;
        peer.packet(packet);
      }
    }
    peer.drops();
    await peer.net.pass(5);
    expect(peer.drops()).toEqual(['nd.loop']);
    expect(wordsOf(peer.host)[1]).toBe(`${HOST} tentative`);
    expect(probes(await peer.answers(10_000)).filter((each) => each.startsWith(HOST))).toHaveLength(3);
    expect(wordsOf(peer.host)[1]).toBe(HOST);
  });

  test.each([
    ['accept_dad 0', { 'net.ipv6.conf.default.accept_dad': 0 }],
    ['dad_transmits 0', { 'net.ipv6.conf.default.dad_transmits': 0 }],
  ])('%s: nobody is asked', async (_what, settings) => {
    await boot(settings);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, HOST]);
    expect(await peer.messages(5000)).toEqual([]);
  });

  test('nodad; and by change, of one that is tentative', async () => {
    await boot();
    peer.host.addAddress('eth0', 'fd00::5/64', { flags: ADDRESS_FLAG.NODAD });
    expect(wordsOf(peer.host)[2]).toBe('fd00::5');
    peer.host.changeAddress('eth0', `${HOST}/64`, { flags: ADDRESS_FLAG.NODAD });
    expect(wordsOf(peer.host)[1]).toBe(HOST);
    expect(probes(await peer.answers(3000))).toEqual([`${HOST_LINK} 8`]);
  });

  test('dad_transmits and the retransmission time of routers', async () => {
    await boot({
      'net.ipv6.conf.default.dad_transmits': 3,
      'net.ipv6.conf.default.router_solicitation_delay': 0,
      'net.ipv6.conf.default.enhanced_dad': 0,
    });
    expect(probes(await peer.answers(2990)).filter((each) => each.startsWith(HOST))).toEqual([`${HOST} 0`, `${HOST} 0`, `${HOST} 0`]);
    expect(wordsOf(peer.host)[1]).toBe(`${HOST} tentative`);
    await peer.net.pass(20);
    expect(wordsOf(peer.host)[1]).toBe(HOST);
  });

  test('accept_dad 2: a duplicate link-local address by the link address ends IPv6 there', async () => {
    await boot({ 'net.ipv6.conf.default.accept_dad': 2 });
    peer.solicit({ type: NA, target: HOST_LINK, flags: 0x20000000 }, { src: HOST_LINK, dst: 'ff02::1' });
    await peer.net.pass(5);
    expect([wordsOf(peer.host), peer.host.kernel.sysctl.get(`${CONF}.disable_ipv6`)]).toEqual([[], true]);
  });

  test('once it is its own, a claim of another is told, and it stays', async () => {
    await boot();
    await peer.answers(2100);
    const heard: string[] = [];
    await peer.net.run(peer.host.kernel.load(hearing(heard)));
    for (let i = 0; i < 5; i++) peer.solicit({ type: NA, target: HOST, flags: 0x20000000 }, { src: HOST, dst: 'ff02::1' });
    await peer.net.pass(5);
    expect([wordsOf(peer.host)[1], heard]).toEqual([HOST, [`replace ${HOST}`]]);
    expect(peer.host.kernel.counters().find(({ name }) => name === 'address-conflicts')?.value).toBe(5);
    probe(HOST);
    expect(await peer.messages()).toEqual(['136 to ff02::1']);
  });

  test('optimistic: used, but told to nobody; another who tries it has it (RFC 4429)', async () => {
    await boot({ 'net.ipv6.conf.default.use_optimistic': 1 });
    await peer.answers(2100);
    peer.host.addAddress('eth0', 'fd00::6/64', { flags: ADDRESS_FLAG.OPTIMISTIC });
    expect(wordsOf(peer.host)[2]).toBe('fd00::6 tentative optimistic');
    peer.solicit({ target: 'fd00::6' }, { src: PEER, dst: 'ff02::1:ff00:6' });
    const [asked, answer] = await peer.answers();
    expect([probes([asked!]), answer!.src, icmpOf(answer!).rest >>> 0]).toEqual([['fd00::6 8'], 'fd00::6', 0x40000000]);
    const user = peer.host.open();
    user.bind('fd00::6', 9);
    user.close();
    peer.solicit({ type: NA, target: 'fd00::6', flags: 0x20000000 }, { src: 'fd00::6', dst: 'ff02::1' });
    await peer.net.pass(5);
    expect(wordsOf(peer.host)[2]).toBe('fd00::6 tentative failed');
    peer.icmp({ type: 128 }, { dst: 'fd00::6' });
    expect(await peer.messages()).toEqual([]);
  });

  test('without a carrier nobody is asked before it comes', async () => {
    await boot();
    await peer.answers(2100);
    peer.cable.cut();
    peer.host.addAddress('eth0', 'fd00::7/64');
    expect(await peer.messages(10_000)).toEqual([]);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, HOST, 'fd00::7 tentative']);
    peer.cable.mend();
    expect(probes(await peer.answers(2100))).toEqual(['fd00::7 8']);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, HOST, 'fd00::7']);
  });

  test('ndisc_notify: who has become ours is told to all, also by its new link address', async () => {
    await boot({ 'net.ipv6.conf.default.ndisc_notify': 1, 'net.ipv6.conf.default.addr_gen_mode': 1 });
    const sent = (await peer.answers(2100)).filter(({ src }) => src !== '::');
    expect(sent.map((packet) => [packet.src, packet.dst, icmpOf(packet).type, icmpOf(packet).rest >>> 0])).toEqual([
      [HOST, 'ff02::1', NA, 0x20000000],
    ]);
  });

  test('disable_ipv6: all goes, and comes back when it is on again', async () => {
    await boot();
    await peer.answers(2100);
    const { sysctl } = peer.host.kernel;
    sysctl.set(`${CONF}.disable_ipv6`, true);
    expect(wordsOf(peer.host)).toEqual([]);
    expect(() => peer.host.addAddress('eth0', `${HOST}/64`)).toThrow(
      'EACCES: fd00::1/64 cannot be an address of eth0: net.ipv6.conf.eth0.disable_ipv6',
    );
    peer.icmp({ type: 128 }, { dst: HOST_LINK, src: 'fe80::9' });
    expect([await peer.messages(), peer.drops().at(-1)]).toEqual([[], 'ipv6.device']);
    sysctl.set(`${CONF}.disable_ipv6`, false);
    expect(wordsOf(peer.host)).toEqual([`${HOST_LINK} tentative`]);
    await peer.answers(2100);
    peer.icmp({ type: 128 }, { dst: HOST_LINK, src: 'fe80::9' });
    expect(await peer.messages()).toContain('135 to ff02::1:ff00:9');
  });

  test.each(WAYS_ON)('a next generation by %s: what was unique is so still, and a search goes on where it stood', async (mode) => {
    await boot();
    await peer.answers(2100);
    peer.host.addAddress('eth0', 'fd00::8/64');
    const before = probes(await peer.answers(500));
    await nextGeneration(peer, mode, 'fd00::2');
    await peer.net.pass(1);
    expect(wordsOf(peer.host).sort()).toEqual([HOST_LINK, HOST, 'fd00::8 tentative'].sort());
    expect([...before, ...probes(await peer.answers(5000))]).toEqual(['fd00::8 8']);
    expect(wordsOf(peer.host).sort()).toEqual([HOST_LINK, HOST, 'fd00::8'].sort());
  });
});

describe('hosts in one World', () => {
  let hub: Hub | null = null;
  afterEach(async () => {
    await hub?.close();
    hub = null;
  });
  const failures = (hosts: readonly NetHost[], prefix: string): number =>
    hosts.filter((host) => wordsOf(host).some((each) => each.startsWith(`${prefix} `) && each.endsWith('failed'))).length;

  test.each([1, 2, 3, 4, 5])(
    'seed %i: of two that want one address at once, both have to do without, or the first has it',
    async (seed) => {
      hub = await Hub.open(seed, { modules, settings: { ...LOUD, 'net.ipv6.conf.default.router_solicitation_delay': seed % 2 } });
      const hosts = [await hub.plug(), await hub.plug()];
      await hub.net.pass(3000);
      for (const host of hosts) host.addAddress('eth0', 'fd00::1/64');
      await hub.net.pass(5000);
      // Without a random delay both ask in the same instant, and hear each other before they know.
      expect(failures(hosts, 'fd00::1'), `seed ${seed}`).toBe(seed % 2 === 0 ? 2 : 1);
    },
  );

  test('50 hosts, ten of which have one address too many: nobody else is hurt (seed 7)', async () => {
    const fewer = modules.filter((source) => !/Pcap|Udp|Loopback/.test(String(source).slice(0, 80)));
    hub = await Hub.open(7, { modules: fewer, settings: LOUD });
    for (let i = 0; i < 50; i++) await hub.plug();
    const { hosts, net } = hub;
    await net.pass(3000);
    for (const [i, host] of hosts.entries()) host.addAddress('eth0', i < 10 ? 'fd00::99/64' : `fd00::${i}/64`);
    await net.pass(5000);
    const all = hosts.flatMap((host) => entriesOf(host).filter(({ flags }) => (flags & ADDRESS_FLAG.TENTATIVE) === 0));
    const texts = all.map(({ address }) => formatIpv6(...address));
    expect(new Set(texts).size, 'seed 7: addresses that two have').toBe(texts.length);
    expect(failures(hosts.slice(0, 10), 'fd00::99')).toBeGreaterThanOrEqual(9);
    expect(texts).toHaveLength(50 + 40 + (10 - failures(hosts, 'fd00::99')));
  });
});

/** Listens to addresses of eth0: 'replace fd00::1 failed'. */
function hearing(heard: string[]): typeof Ipv6Module {
  @Module({ name: 'test-hearing', version: '1.0.0', provides: [Listener] })
  class Hearing implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const listener: AddressListener = {
        addressChanged: (change, { address, flags }) => {
          heard.push(`${change} ${formatIpv6(...address)}${(flags & ADDRESS_FLAG.DAD_FAILED) !== 0 ? ' failed' : ''}`);
        },
      };
      ctx.contribute(Listener, listener, 'corridor');
    }
  }
  return Hearing as unknown as typeof Ipv6Module;
}
