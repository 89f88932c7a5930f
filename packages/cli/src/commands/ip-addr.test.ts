import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

/** The lines of IPv4 addresses of eth0, without what is usual. */
const inet = (text: string): string[] => [...text.matchAll(/^ {4}inet (.*)$/gm)].map(([, line]) => line!);

const ADDED = [
  ['192.0.2.1/24', '192.0.2.1/24 brd 192.0.2.255 scope global eth0'],
  ['192.0.2.1', '192.0.2.1/32 scope global eth0'],
  ['192.0.2.0/31', '192.0.2.0/31 scope global eth0'],
  ['192.0.2.1/24 brd +', '192.0.2.1/24 brd 192.0.2.255 scope global eth0'],
  ['192.0.2.1/24 brd -', '192.0.2.1/24 brd 192.0.2.0 scope global eth0'],
  ['192.0.2.1/24 broadcast 192.0.2.99', '192.0.2.1/24 brd 192.0.2.99 scope global eth0'],
  ['192.0.2.1 peer 192.0.2.2', '192.0.2.1 peer 192.0.2.2/32 scope global eth0'],
  ['local 192.0.2.1 peer 198.51.100.2/24', '192.0.2.1 peer 198.51.100.2/24 brd 198.51.100.255 scope global eth0'],
  ['192.0.2.1/32 scope link', '192.0.2.1/32 scope link eth0'],
  ['192.0.2.1/32 scope 200', '192.0.2.1/32 scope 200 eth0'],
  ['169.254.1.1/16', '169.254.1.1/16 brd 169.254.255.255 scope link eth0'],
  ['192.0.2.1/32 label eth0:web', '192.0.2.1/32 scope global eth0:web'],
  ['192.0.2.1/24 metric 77', '192.0.2.1/24 metric 77 brd 192.0.2.255 scope global eth0'],
  ['192.0.2.1/32 noprefixroute nodad', '192.0.2.1/32 scope global nodad noprefixroute eth0'],
  ['192.0.2.1/32 valid_lft 60 preferred_lft 0', '192.0.2.1/32 scope global deprecated dynamic eth0'],
  ['192.0.2.1/32 valid_lft forever preferred_lft forever', '192.0.2.1/32 scope global eth0'],
  ['10.0.1.9/24', '10.0.1.9/24 brd 10.0.1.255 scope global secondary eth0'],
] as const;

const REFUSED = [
  ['192.0.2.1/33 dev eth0', /^softnet: EINVAL: '192\.0\.2\.1\/33' is no prefix: write 192\.0\.2\.1\/24/],
  ['192.0.2.1/24 dev eth0 brd here', /^softnet: broadcast takes an address, \+ or -, got 'here'/],
  ['fd00::5/64 dev eth0 brd 192.0.2.1', /^softnet: broadcast is IPv4/],
  ['192.0.2.1/24 dev eth0 scope near', /^softnet: scope takes global, link, host or a number, got 'near'/],
  ['192.0.2.1/24 dev eth0 label web', /^softnet: label begins with the device's name, 'eth0', got 'web'/],
  ['192.0.2.1/24 dev eth0 valid_lft soon', /^softnet: valid_lft takes a whole number, got 'soon'/],
  ['192.0.2.1/24 dev eth0 valid_lft 0', /^softnet: EINVAL: an address lives for more than 0 ms/],
  ['192.0.2.1/24 dev eth0 valid_lft 5 preferred_lft 6', /^softnet: EINVAL: it cannot be preferred/],
  ['192.0.2.1/24', /^softnet: dev DEVICE is missing/],
] as const;

describe('ip addr add', () => {
  test('of all sorts, as iproute2 shows them', async () => {
    const { type } = await testSession({ ms: 0 });
    for (const [words, line] of ADDED) {
      expect(await type(`ip addr add ${words} dev eth0`), words).toBe('');
      expect(inet(await type('ip -4 addr show eth0'))).toContain(line);
      await type('ip -4 addr flush dev eth0');
      await type('ip addr add 10.0.1.2/24 dev eth0');
    }
  });

  test('lifetimes run down', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip addr add 192.0.2.1/32 valid_lft 60 preferred_lft 30sec dev eth0');
    expect(await type('ip -4 addr show eth0')).toMatch(/dynamic eth0\n {7}valid_lft 60sec preferred_lft 30sec/);
  });

  test('is refused in one sentence', async () => {
    const { type } = await testSession({ ms: 0 });
    for (const [words, sentence] of REFUSED) expect(await type(`ip addr add ${words}`), words).toMatch(sentence);
  });
});

describe('ip addr', () => {
  test('change and replace', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('ip addr change 192.0.2.1/24 dev eth0')).toMatch(/^softnet: EADDRNOTAVAIL/);
    expect(await type('ip addr replace 192.0.2.1/24 dev eth0 valid_lft 60')).toBe('');
    expect(await type('ip addr replace 192.0.2.1/24 dev eth0 metric 5')).toBe('');
    expect(inet(await type('ip -4 addr show eth0'))).toContain('192.0.2.1/24 metric 5 brd 192.0.2.255 scope global eth0');
    expect(await type('ip r')).toMatch(/^192\.0\.2\.0\/24 dev eth0 proto kernel scope link src 192\.0\.2\.1 metric 5$/m);
    expect(await type('ip addr change 192.0.2.1/24 dev eth0 scope link')).toMatch(/^softnet: EINVAL: scope and peer/);
  });

  test('show and flush, of what is chosen', async () => {
    const { type } = await testSession({ ms: 0 });
    for (const words of ['10.0.1.9/24', '192.0.2.1/24', '169.254.7.7/16', '192.0.2.77/32 label eth0:x']) {
      expect(await type(`ip addr add ${words} dev eth0`)).toBe('');
    }
    const shown = async (words: string): Promise<string[]> =>
      inet(await type(`ip -4 addr show ${words}`)).map((line) => line.split(' ')[0]!);
    expect(await shown('eth0 secondary')).toEqual(['10.0.1.9/24']);
    expect(await shown('eth0 primary to 10.0.0.0/8')).toEqual(['10.0.1.2/24']);
    expect(await shown('scope link')).toEqual(['169.254.7.7/16']);
    expect(await shown('label eth0:x')).toEqual(['192.0.2.77/32']);
    expect((await shown('to 0.0.0.0/0 up')).length).toBe(6);
    expect(await type('ip addr flush dev eth0 to 192.0.2.0/24')).toBe('');
    expect((await shown('eth0')).sort()).toEqual(['10.0.1.2/24', '10.0.1.9/24', '169.254.7.7/16']);
    expect(await type('ip addr flush dev eth0')).toBe('');
    expect(await shown('eth0')).toEqual([]);
  });
});
