import type { AddressListener, ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FLAG, AddressListener as Listener, Module, NetworkLayer } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import type { NetHost } from '@softnet/testkit';
import { formatIpv4 } from '@softnet/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { Hub } from './hub.ts';
import { HOST, mac, RawLink, word } from './raw-link.ts';

const INET = 2;
const ACD = 'net.ipv4.conf.all.acd';
const MINUTE_MS = 60_000;

/** Addresses but lo's, with what they are beside valid. */
function addressesOf(host: NetHost): string[] {
  const layer = host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET)!;
  return [...layer.addresses]
    .filter(({ device }) => device.name !== 'lo')
    .map(({ address, flags }) => `${formatIpv4(address[3])}${words(flags)}`);
}
function words(flags: number): string {
  if ((flags & ADDRESS_FLAG.DAD_FAILED) !== 0) return ' failed';
  return (flags & ADDRESS_FLAG.TENTATIVE) !== 0 ? ' tentative' : '';
}

describe('a host that looks for conflicts (RFC 5227)', () => {
  let link: RawLink;
  afterEach(async () => {
    await link.close();
  });
  const open = async (defence: number): Promise<void> => {
    link = await RawLink.open([]);
    link.host.kernel.sysctl.set(ACD, defence);
    link.host.addAddress('eth0', `${HOST}/24`);
  };
  const probe = { sender: 0, target: word(HOST), senderLink: mac('02:00:00:00:00:99') };
  const claim = { sender: word(HOST), target: word(HOST) };

  test('probes three times, then announces twice, and is silent until then', async () => {
    await open(1);
    expect(addressesOf(link.host)).toEqual([`${HOST} tentative`]);
    await link.net.pass(1500);
    link.peer.frames.length = 0;
    link.peer.arp({});
    await link.net.pass(10);
    expect(link.peer.takeArp()).toEqual([]);
    await expect(link.net.run(link.host.ping('10.0.0.9'))).rejects.toMatchObject({ code: 'ENETUNREACH' });
    await link.net.pass(MINUTE_MS);
    expect(addressesOf(link.host)).toEqual([HOST]);
    const arp = link.peer.takeArp().map(({ operation, sender, target }) => `${operation} ${formatIpv4(sender)} ${formatIpv4(target)}`);
    expect(arp.filter((line) => line.includes('0.0.0.0')).length).toBeGreaterThan(0);
    expect(arp.slice(-2)).toEqual([`1 ${HOST} ${HOST}`, `1 ${HOST} ${HOST}`]);
    link.peer.arp({});
    await link.net.pass(10);
    expect(link.peer.takeArp()).toMatchObject([{ operation: 2, sender: word(HOST) }]);
  });

  test.each([
    ['a host that has it', claim],
    ['a host that answers the probe', { operation: 2, sender: word(HOST), target: 0 }],
    ['another that probes for it', probe],
  ])('does not take it from %s', async (_what, packet) => {
    await open(3);
    await link.net.pass(2000);
    expect(await link.dropsOf(() => link.peer.arp(packet))).toEqual({ 'arp.conflict': 1 });
    expect(addressesOf(link.host)).toEqual([`${HOST} failed`]);
    await link.net.pass(MINUTE_MS);
    expect(addressesOf(link.host)).toEqual([`${HOST} failed`]);
  });

  test.each([
    ['(a) gives way', 1, 1, `${HOST} failed`, 0],
    ['(b) defends it', 2, 1, HOST, 1],
    ['(b) gives way to the second', 2, 2, `${HOST} failed`, 1],
    ['(c) holds on', 3, 5, HOST, 1],
  ])('%s (§2.4)', async (_what, defence, conflicts, address, announced) => {
    await open(defence);
    await link.net.pass(20_000);
    link.peer.frames.length = 0;
    for (let i = 0; i < conflicts; i++) {
      link.peer.arp(claim);
      await link.net.pass(1000);
    }
    expect(addressesOf(link.host)).toEqual([address]);
    expect(link.peer.takeArp().length).toBe(announced);
  });

  test('probes anew when the link comes back', async () => {
    await open(1);
    await link.net.pass(20_000);
    link.peer.frames.length = 0;
    link.host.down('eth0');
    await link.net.pass(1000);
    link.host.up('eth0');
    expect(addressesOf(link.host)).toEqual([`${HOST} tentative`]);
    await link.net.pass(20_000);
    expect(addressesOf(link.host)).toEqual([HOST]);
    expect(link.peer.takeArp().length).toBe(5);
  });

  test('does not where it is told not to (NODAD), and on lo', async () => {
    link = await RawLink.open([]);
    link.host.kernel.sysctl.set(ACD, 2);
    link.host.addAddress('lo', '127.0.0.2/8');
    link.host.addAddress('eth0', `${HOST}/24`, { flags: ADDRESS_FLAG.NODAD });
    expect(addressesOf(link.host)).toEqual([HOST]);
    await link.net.pass(MINUTE_MS);
    expect(link.peer.takeArp()).toEqual([]);
  });

  test.each(['handover', 'drain'] as const)('goes on across a replacement by %s', async (mode) => {
    await open(2);
    await link.net.pass(3000);
    const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
    expect(await link.net.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    await link.net.pass(1);
    expect(addressesOf(link.host)).toEqual([`${HOST} tentative`]);
    await link.net.pass(20_000);
    expect(addressesOf(link.host)).toEqual([HOST]);
    const arp = link.peer.takeArp().map(({ sender }) => formatIpv4(sender));
    if (mode === 'handover') expect(arp).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0', HOST, HOST]);
    link.peer.arp(claim);
    await link.net.pass(10);
    expect(link.peer.takeArp().length).toBe(1);
    expect(addressesOf(link.host)).toEqual([HOST]);
  });

  test('tells who listens', async () => {
    const heard: string[] = [];
    @Module({ name: 'test-listener', version: '1.0.0', provides: [Listener] })
    class ListenerModule implements SoftnetModule {
      start(ctx: ModuleContext): void {
        const listener: AddressListener = {
          addressChanged: (change, { address, flags }) => void heard.push(`${change} ${formatIpv4(address[3])}${words(flags)}`),
        };
        ctx.contribute(Listener, listener, 'corridor');
      }
    }
    link = await RawLink.open([]);
    await link.net.run(link.host.kernel.load(ListenerModule));
    link.host.kernel.sysctl.set(ACD, 1);
    link.host.addAddress('eth0', `${HOST}/24`);
    await link.net.pass(20_000);
    link.peer.arp(claim);
    await link.net.pass(10);
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(heard).toEqual([`add ${HOST} tentative`, `replace ${HOST}`, `replace ${HOST} failed`, `remove ${HOST} failed`]);
  });
});

test.each([1, 2, 3])('two hosts that probe for one address at once do not both have it (seed %i)', async (seed) => {
  const hub = await Hub.open(seed);
  for (let i = 0; i < 2; i++) (await hub.plug({ [ACD]: 2 })).addAddress('eth0', `${HOST}/24`);
  await hub.net.pass(MINUTE_MS);
  const have = hub.hosts.flatMap((host) => addressesOf(host));
  console.info(`seed ${seed}: ${have.join(', ')}`);
  expect(have.filter((address) => address === HOST).length).toBeLessThanOrEqual(1);
  expect(have).toContain(`${HOST} failed`);
  await hub.close();
});
