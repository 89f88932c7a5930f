import { ADDRESS_FAMILY, ADDRESS_FLAG, Devices, Route } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import { Cable } from '@softnet/nic-driver';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { entriesOf, LOUD, livesOf, wordsOf } from './address-words.ts';
import { nextGeneration, WAYS_ON } from './next-generation.ts';
import { HOST_LINK, RawPeer } from './raw-peer.ts';
import { ROUTER, router, sendNd } from './router-messages.ts';

const HOUR_S = 3600;
const DAY_S = 86_400;
const CONF = 'net.ipv6.conf';
const EUI = '2001:db8:1::ff:fe00:1';
const SECRET = '2001:db8::5ec:e7';

let peer: RawPeer;
afterEach(async () => {
  if (peer !== usual) await peer.end();
});

/** The same for all tests that say no settings: its device goes down and up in between. */
let usual: RawPeer | null = null;
afterAll(() => usual?.end());

async function begin(): Promise<void> {
  if (usual === null) await boot();
  usual ??= peer;
  peer = usual;
  peer.host.down('eth0');
  peer.host.up('eth0');
  await peer.answers();
}

/** A host without addresses of its own but the link-local one. */
async function boot(settings: Record<string, number> = {}): Promise<void> {
  const own = Object.entries(settings).map(([name, value]): [string, number] => [`${CONF}.default.${name}`, value]);
  peer = await RawPeer.boot({ known: false, settings: Object.fromEntries(own) });
  peer.host.removeAddress('eth0', 'fd00::1/64');
}

interface Said {
  readonly prefixLen?: number;
  readonly onLink?: boolean;
  readonly autonomous?: boolean;
  readonly from?: string;
}

/** Advertises it. */
async function say(
  prefix: string,
  validS: number,
  preferredS: number,
  { prefixLen = 64, onLink = true, autonomous = true, from = ROUTER }: Said = {},
): Promise<void> {
  const option = { prefix: parseIpv6(prefix)!, prefixLen, onLink, autonomous, validS, preferredS };
  sendNd(peer, router({ prefixes: [option] }), { src: from });
  await peer.net.pass(5);
}

/** Routes to prefixes on the link but fe80::, with the seconds that are left: '2001:db8:1::/64 3600'. */
function links(): string[] {
  const nowMs = peer.host.kernel.clock.nowUs / 1000;
  const entries = peer.host.kernel.port(Route).current.entries(ADDRESS_FAMILY.INET6);
  return entries
    .filter(({ type, prefixLen, table, prefix }) => type === 1 && table === 254 && prefixLen > 10 && prefix[0] !== (0xfe800000 | 0))
    .filter(({ nextHops }) => nextHops[0]!.gateway === undefined)
    .map(({ prefix, prefixLen, expiresMs }) => {
      return `${formatIpv6(...prefix)}/${prefixLen} ${expiresMs === undefined ? 'forever' : Math.round((expiresMs - nowMs) / 1000)}`;
    });
}

/** Of a datagram that is sent there, or of the solicitation for its neighbour. */
async function sourceTo(destination: string): Promise<string | undefined> {
  const user = peer.host.open();
  user.connect(destination, 9);
  void user.send(new Uint8Array(8)).catch(() => {});
  const sent = await peer.answers();
  user.close();
  return sent.find(({ protocol, payload }) => protocol === 17 || payload[0] === 135)?.src;
}

function others(): string[] {
  return livesOf(peer.host).filter((each) => !each.startsWith('fe80'));
}

describe('prefixes (RFC 4862 §5.5.3)', () => {
  test.each<[what: string, prefix: string, valid: number, preferred: number, said: Said, addresses: string[], routes: string[]]>([
    ['both', '2001:db8:1::', 7200, 3600, {}, [`${EUI} 7200/3600`], ['2001:db8:1::/64 7200']],
    ['for ever', '2001:db8:1::', 0xffffffff, 0xffffffff, {}, [`${EUI} forever/forever`], ['2001:db8:1::/64 forever']],
    ['not on the link', '2001:db8:1::', 7200, 3600, { onLink: false }, [`${EUI} 7200/3600`], []],
    ['not autonomous', '2001:db8:1::', 7200, 3600, { autonomous: false }, [], ['2001:db8:1::/64 7200']],
    ['bits behind the prefix say nothing', '2001:db8:1::77', 7200, 3600, {}, [`${EUI} 7200/3600`], ['2001:db8:1::/64 7200']],
    ['deprecated from the start', '2001:db8:1::', 7200, 0, {}, [`${EUI} 7200/0`], ['2001:db8:1::/64 7200']],
    ['b: the link-local prefix', 'fe80::', 7200, 3600, {}, [], []],
    ['a group', 'ff02::', 7200, 3600, {}, [], []],
    ['c: preferred for longer than valid', '2001:db8:1::', 3600, 3601, {}, [], []],
    ['d: valid for 0 s', '2001:db8:1::', 0, 0, {}, [], []],
    ['d: identifiers have 64 bits: 48', '2001:db8:1::', 7200, 3600, { prefixLen: 48 }, [], ['2001:db8:1::/48 7200']],
    ['d: 65', '2001:db8:1::', 7200, 3600, { prefixLen: 65 }, [], ['2001:db8:1::/65 7200']],
    ['d: 128', '2001:db8:1::', 7200, 3600, { prefixLen: 128 }, [], ['2001:db8:1::/128 7200']],
  ])('%s', async (_what, prefix, valid, preferred, said, addresses, routes) => {
    await begin();
    await say(prefix, valid, preferred, said);
    expect([others(), links()]).toEqual([addresses, routes]);
  });

  // e: what is left, what is said, what is left then.
  test.each([
    [DAY_S, 2 * DAY_S, 2 * DAY_S],
    [DAY_S, 3 * HOUR_S, 3 * HOUR_S],
    [DAY_S, 2 * HOUR_S, 2 * HOUR_S],
    [DAY_S, HOUR_S, 2 * HOUR_S],
    [DAY_S, 0, 2 * HOUR_S],
    [HOUR_S, 0, HOUR_S],
    [HOUR_S, HOUR_S / 2, HOUR_S],
    [HOUR_S, 2 * HOUR_S, 2 * HOUR_S],
    [2 * HOUR_S, 1, 2 * HOUR_S],
    [0xffffffff, 10, 2 * HOUR_S],
    [HOUR_S, 0xffffffff, 'forever'],
  ])('e: %i s left, %i s said: %s s', async (left, said, then) => {
    await begin();
    await say('2001:db8:1::', left, Math.min(left, 600));
    await say('2001:db8:1::', said, Math.min(said, 300));
    expect(others()).toEqual([`${EUI} ${then}/${Math.min(said, 300)}`]);
  });

  test('deprecated and gone at their time, the route with them', async () => {
    await begin();
    await say('2001:db8:1::', 20, 10);
    await peer.net.pass(10_000);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, `${EUI} deprecated`]);
    await say('2001:db8:1::', 20, 10);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, EUI]);
    await peer.net.pass(21_000);
    expect([wordsOf(peer.host), links()]).toEqual([[HOST_LINK], []]);
  });

  test('renumbered: the old prefix is deprecated at once, the new one is the source', async () => {
    await begin();
    await say('2001:db8:1::', DAY_S, DAY_S);
    await say('2001:db8:2::', DAY_S, DAY_S);
    await say('2001:db8:1::', 0, 0);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK, `${EUI} deprecated`, '2001:db8:2::ff:fe00:1']);
    expect(links()).toEqual(['2001:db8:2::/64 86400']);
    expect(await sourceTo('2001:db8:1::99')).toBe('2001:db8:2::ff:fe00:1');
  });

  test('autoconf, accept_ra_pinfo and max_addresses are obeyed', async () => {
    await boot({ max_addresses: 4 });
    const { sysctl } = peer.host.kernel;
    sysctl.set(`${CONF}.eth0.autoconf`, false);
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect([others(), links()]).toEqual([[], ['2001:db8:1::/64 86400']]);
    sysctl.set(`${CONF}.eth0.accept_ra_pinfo`, false);
    await say('2001:db8:2::', DAY_S, DAY_S);
    expect(links()).toHaveLength(1);
    sysctl.set(`${CONF}.eth0.autoconf`, true);
    sysctl.set(`${CONF}.eth0.accept_ra_pinfo`, true);
    for (let i = 1; i < 10; i++) await say(`2001:db8:${i}::`, DAY_S, DAY_S);
    expect(others()).toHaveLength(3);
    expect(peer.host.kernel.counters().find(({ name }) => name === 'addresses-refused')?.value).toBe(6);
  });

  test('a flood of prefixes is bounded: 128 on the link', async () => {
    await begin();
    for (let i = 0; i < 300; i++) await say(`2001:db8:${i.toString(16)}::`, DAY_S, DAY_S, { autonomous: false });
    expect(links()).toHaveLength(128);
  });

  test('what is given by hand keeps its route when the advertised prefix ends, and the other way round', async () => {
    await begin();
    peer.host.addAddress('eth0', '2001:db8:1::5/64');
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect(links()).toEqual(['2001:db8:1::/64 forever']);
    peer.host.removeAddress('eth0', '2001:db8:1::5/64');
    expect(links()).toEqual(['2001:db8:1::/64 86400']);
    peer.host.addAddress('eth0', '2001:db8:1::5/64');
    await say('2001:db8:1::', 0, 0);
    expect(links()).toEqual(['2001:db8:1::/64 forever']);
  });

  test('all that is of prefixes goes with the device; the next advertisement brings it again', async () => {
    await begin();
    await say('2001:db8:1::', DAY_S, DAY_S);
    peer.host.down('eth0');
    expect([wordsOf(peer.host), links()]).toEqual([[], []]);
    peer.host.up('eth0');
    expect(wordsOf(peer.host)).toEqual([HOST_LINK]);
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect([others(), links()]).toEqual([[`${EUI} 86400/86400`], ['2001:db8:1::/64 86400']]);
  });

  test.each(WAYS_ON)('a next generation by %s: lives go on, and the next advertisement makes nothing new', async (mode) => {
    await boot({ use_tempaddr: 1, max_desync_factor: 0 });
    await say('2001:db8:1::', DAY_S, HOUR_S);
    await peer.net.pass(100_000);
    const before = [livesOf(peer.host).sort(), links()];
    await nextGeneration(peer, mode, '2001:db8:1::9');
    await peer.net.pass(1);
    expect([livesOf(peer.host).sort(), links()]).toEqual(before);
    await say('2001:db8:1::', DAY_S, HOUR_S);
    expect(livesOf(peer.host)).toHaveLength(3);
    await peer.net.pass(HOUR_S * 1000 + 100);
    expect(wordsOf(peer.host).filter((each) => each.endsWith('deprecated'))).toContain(`${EUI} deprecated`);
    await peer.net.pass(DAY_S * 1000);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK]);
  });
});

describe('identifiers', () => {
  test.each([
    [0, [HOST_LINK, EUI]],
    [1, [EUI]],
    [2, []],
  ])('addr_gen_mode %i', async (mode, words) => {
    await boot({ addr_gen_mode: mode });
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect(wordsOf(peer.host)).toEqual(words);
  });

  test('stable by a secret: the same after each start, another for each prefix, device and secret (RFC 7217)', async () => {
    const seen: string[][] = [];
    for (const secret of [SECRET, SECRET, '2001:db8::5ec:e8']) {
      await boot();
      peer.host.down('eth0');
      peer.host.kernel.sysctl.set(`${CONF}.eth0.stable_secret`, secret);
      expect(peer.host.kernel.sysctl.get(`${CONF}.eth0.addr_gen_mode`)).toBe(2);
      peer.host.up('eth0');
      await say('2001:db8:1::', DAY_S, DAY_S);
      await say('2001:db8:2::', DAY_S, DAY_S);
      seen.push(wordsOf(peer.host));
      if (seen.length < 3) await peer.end();
    }
    const [first, again, other] = seen as [string[], string[], string[]];
    expect(again).toEqual(first);
    const identifiers = [...first, ...other].map((each) => each.replace(/^(fe80:|2001:db8:\d):/, ''));
    expect(new Set(identifiers).size).toBe(6);
    expect(first.every((each) => each.endsWith(' stable'))).toBe(true);
  });

  test('random: other addresses than by the link address, one identifier a prefix, as long as the device is there', async () => {
    await boot({ addr_gen_mode: 3 });
    await say('2001:db8:1::', DAY_S, DAY_S);
    const first = wordsOf(peer.host);
    expect(first).toHaveLength(2);
    expect(first.join()).not.toContain('ff:fe00:1');
    peer.host.down('eth0');
    peer.host.up('eth0');
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect(wordsOf(peer.host)).toEqual(first);
  });

  test('a stable address that is taken: another is tried, three times at most', async () => {
    peer = await RawPeer.boot({ known: false, settings: { ...LOUD, [`${CONF}.default.addr_gen_mode`]: 3 } });
    peer.host.removeAddress('eth0', 'fd00::1/64');
    const tried: string[] = [];
    for (let i = 0; i < 5; i++) {
      const [address] = entriesOf(peer.host);
      const text = formatIpv6(...address!.address);
      tried.push(text);
      peer.solicit({ type: 136, target: text, flags: 0x20000000 }, { src: text, dst: 'ff02::1' });
      await peer.net.pass(10);
    }
    expect(new Set(tried).size).toBe(4);
    expect(wordsOf(peer.host)).toEqual([`${tried[3]} tentative failed stable`]);
    // What is known to be taken is not tried again (RFC 7217 §6), nor by the next generation.
    peer.host.down('eth0');
    peer.host.up('eth0');
    expect(wordsOf(peer.host)).toEqual([`${tried[3]} tentative stable`]);
    await peer.net.run(peer.host.kernel.replace('ipv6', Ipv6Module));
    peer.host.down('eth0');
    peer.host.up('eth0');
    expect(wordsOf(peer.host)).toEqual([`${tried[3]} tentative stable`]);
  });

  test('a secret, and a mode that was set after it, outlive a replacement', async () => {
    await boot();
    const { sysctl } = peer.host.kernel;
    sysctl.set(`${CONF}.eth0.stable_secret`, SECRET);
    sysctl.set(`${CONF}.eth0.addr_gen_mode`, 0);
    await peer.net.run(peer.host.kernel.replace('ipv6', Ipv6Module));
    await peer.net.pass(1);
    expect([sysctl.get(`${CONF}.eth0.stable_secret`), sysctl.get(`${CONF}.eth0.addr_gen_mode`)]).toEqual([SECRET, 0]);
    expect(wordsOf(peer.host)).toEqual([HOST_LINK]);
  });

  test('a secret of default is for devices that come later, and turns the mode of those that are there', async () => {
    await boot();
    const { sysctl } = peer.host.kernel;
    const mode = (of: string): unknown => sysctl.get(`${CONF}.${of}.addr_gen_mode`);
    sysctl.set(`${CONF}.default.stable_secret`, SECRET);
    expect(['default', 'all', 'eth0', 'lo'].map(mode)).toEqual([0, 0, 2, 2]);
    await peer.net.run(peer.host.addDevice('wire', 'eth1', { cable: new Cable() }));
    expect([sysctl.get(`${CONF}.eth1.stable_secret`), mode('eth1')]).toEqual([SECRET, 2]);
    // What a device has is its own from then on, and stays so.
    sysctl.set(`${CONF}.default.stable_secret`, '2001:db8::2');
    expect(sysctl.get(`${CONF}.eth1.stable_secret`)).toBe(SECRET);
    sysctl.set(`${CONF}.eth1.addr_gen_mode`, 0);
    await peer.net.run(peer.host.kernel.replace('ipv6', Ipv6Module));
    await peer.net.pass(1);
    expect([sysctl.get(`${CONF}.eth1.stable_secret`), mode('eth1'), mode('eth0')]).toEqual([SECRET, 0, 2]);
  });

  test('a secret from the start is for devices that come later', async () => {
    peer = await RawPeer.boot({ known: false, settings: { [`${CONF}.default.stable_secret`]: SECRET } });
    const { sysctl } = peer.host.kernel;
    expect([sysctl.get(`${CONF}.eth0.stable_secret`), sysctl.get(`${CONF}.eth0.addr_gen_mode`)]).toEqual([SECRET, 2]);
  });

  test('a secret that is no address is taken back', async () => {
    await boot();
    const { sysctl } = peer.host.kernel;
    sysctl.set(`${CONF}.eth0.stable_secret`, 'abc');
    expect([sysctl.get(`${CONF}.eth0.stable_secret`), sysctl.get(`${CONF}.eth0.addr_gen_mode`)]).toEqual(['', 0]);
    sysctl.set(`${CONF}.default.stable_secret`, SECRET);
    expect(sysctl.get(`${CONF}.eth0.addr_gen_mode`)).toBe(2);
  });
});

describe('temporary addresses (RFC 8981)', () => {
  const temporary = (): string[] => livesOf(peer.host).filter((each, i) => wordsOf(peer.host)[i]!.includes('temporary') && each);

  test('beside an address of a prefix, if use_tempaddr says so; shorter lived, and none for one that lives too short', async () => {
    await boot({ use_tempaddr: 1 });
    await say('2001:db8:1::', 30 * DAY_S, 7 * DAY_S);
    const [words] = temporary();
    const [, valid, preferred] = words!.match(/ (\d+)\/(\d+)$/)!.map(Number);
    expect(valid).toBe(7 * DAY_S);
    expect(preferred).toBeGreaterThan(DAY_S - 600);
    expect(preferred).toBeLessThanOrEqual(DAY_S);
    await say('2001:db8:2::', DAY_S, 4);
    expect(temporary()).toHaveLength(1);
  });

  test('none by default; by hand beside an address that asks for it', async () => {
    await boot();
    await say('2001:db8:1::', DAY_S, DAY_S);
    expect(temporary()).toEqual([]);
    peer.host.kernel.sysctl.set(`${CONF}.eth0.use_tempaddr`, 2);
    expect(() => peer.host.addAddress('eth0', 'fd00::1/48', { flags: ADDRESS_FLAG.MANAGETEMPADDR })).toThrow('EINVAL');
    peer.host.addAddress('eth0', 'fd00::1/64', { flags: ADDRESS_FLAG.MANAGETEMPADDR });
    expect(temporary()).toHaveLength(1);
    expect(`${await sourceTo('fd00::99')} `).toBe(temporary()[0]!.replace(/\S+$/, ''));
    peer.host.removeAddress('eth0', 'fd00::1/64');
    expect(temporary()).toEqual([]);
  });

  test('its successor comes before it is deprecated, by REGEN_ADVANCE; it goes when its life is over', async () => {
    await boot({ use_tempaddr: 1, max_desync_factor: 0, temp_prefered_lft: 100, temp_valid_lft: 250 });
    const advanceS = 2 + 3 * 1 * 1;
    await say('2001:db8:1::', DAY_S, DAY_S);
    await peer.net.pass((100 - advanceS) * 1000 - 100);
    expect(temporary()).toHaveLength(1);
    await nextGeneration(peer, 'drain', '');
    await peer.net.pass(200);
    expect(temporary()).toHaveLength(2);
    // Whichever generation is there: one that is being succeeded has its one successor.
    const both = temporary().sort();
    await nextGeneration(peer, 'beside', '2001:db8:1::9');
    await peer.net.pass(1);
    expect(temporary().sort()).toEqual(both);
    await peer.net.pass(advanceS * 1000);
    expect(wordsOf(peer.host).filter((each) => each.endsWith('deprecated temporary'))).toHaveLength(1);
    await peer.net.pass(150_000);
    expect(temporary().length).toBeLessThanOrEqual(3);
    const counts: number[] = [];
    for (let i = 0; i < 200; i++) {
      await peer.net.pass(20_000);
      counts.push(temporary().length);
    }
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([2, 3]);
  });

  test('follows the prefix: no longer than it, and never longer than its own limits', async () => {
    await boot({ use_tempaddr: 1, max_desync_factor: 0 });
    await say('2001:db8:1::', 30 * DAY_S, 30 * DAY_S);
    await peer.net.pass(HOUR_S * 1000);
    await say('2001:db8:1::', 30 * DAY_S, 30 * DAY_S);
    expect(temporary()[0]).toMatch(/ 601200\/82800$/);
    await say('2001:db8:1::', 3 * HOUR_S, HOUR_S);
    expect(temporary()[0]).toMatch(/ 10800\/3600$/);
    await say('2001:db8:1::', 0, 0);
    expect(temporary()[0]).toMatch(/ 7200\/0$/);
    await say('2001:db8:1::', 30 * DAY_S, 30 * DAY_S);
    expect(temporary()[0]).toMatch(/ 601200\/82800$/);
  });

  test('taken by others: three tries, then no more there', async () => {
    peer = await RawPeer.boot({ known: false, settings: { ...LOUD, [`${CONF}.default.use_tempaddr`]: 1 } });
    await peer.answers(2100);
    await say('2001:db8:1::', DAY_S, DAY_S);
    const tried = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const found = entriesOf(peer.host).find(({ flags }) => (flags & ADDRESS_FLAG.TEMPORARY) !== 0);
      if (found === undefined) break;
      const text = formatIpv6(...found.address);
      tried.add(text);
      peer.solicit({ type: 136, target: text, flags: 0x20000000 }, { src: text, dst: 'ff02::1' });
      await peer.net.pass(10);
    }
    expect([tried.size, temporary(), peer.host.kernel.sysctl.get(`${CONF}.eth0.use_tempaddr`)]).toEqual([3, [], -1]);
  });
});

test('a router has the subnet-router anycast address of each prefix (RFC 4291 §2.6.1): answered late, and overriding nothing', async () => {
  await boot();
  peer.host.addAddress('eth0', 'fd00::1/64');
  peer.host.addAddress('eth0', 'fd01::1/127');
  const ask = async (): Promise<string[]> => {
    peer.solicit({ target: 'fd00::' }, { src: 'fe80::9', dst: 'ff02::1:ff00:0' });
    return (await peer.answers(1100)).filter(({ payload }) => payload[0] === 136).map(({ src, payload }) => `${src} ${payload[4]! >>> 5}`);
  };
  expect(await ask()).toEqual([]);
  peer.host.kernel.sysctl.set(`${CONF}.all.forwarding`, true);
  // Router and solicited, but not override; from an address that is this host's alone (RFC 4443 §2.2 b).
  expect(await ask()).toEqual([`${HOST_LINK} 6`]);
  peer.icmp({ type: 128 }, { dst: 'fd00::', src: 'fe80::9' });
  const [reply] = await peer.answers();
  expect([reply?.src, reply?.payload[0]]).toEqual([HOST_LINK, 129]);
  peer.host.kernel.sysctl.set(`${CONF}.all.forwarding`, false);
  expect(await ask()).toEqual([]);
});

test('another link address: another link-local one, and who is there tells it', async () => {
  await boot({ ndisc_notify: 1 });
  peer.host.addAddress('eth0', 'fd00::1/64');
  await peer.answers();
  peer.host.kernel.port(Devices).current.setAddress(peer.host.device('eth0'), Uint8Array.of(2, 0, 0, 0, 0, 7));
  const told = (await peer.answers()).filter(({ payload }) => payload[0] === 136).map(({ src, payload }) => `${src} ${payload.at(-1)}`);
  expect(new Set(told)).toEqual(new Set(['fd00::1 7', 'fe80::ff:fe00:7 7']));
});
