import { ADDRESS_FAMILY } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPrefix, parsePrefix } from './ip-prefix.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });

describe('parsePrefix', () => {
  it('reads both families', () => {
    expect(parsePrefix('10.77.0.2/24')).toEqual({ family: INET, words: [0, 0, 0xffff, 0x0a4d0002], prefixLen: 24 });
    expect(parsePrefix('fd77::2/64')).toEqual({ family: INET6, words: [0xfd770000 | 0, 0, 0, 2], prefixLen: 64 });
    expect(parsePrefix('0.0.0.0/0')).toEqual({ family: INET, words: [0, 0, 0, 0], prefixLen: 0 });
  });

  it('takes an address alone for a prefix of its own', () => {
    expect(parsePrefix('10.0.0.1')?.prefixLen).toBe(32);
    expect(parsePrefix('::1')?.prefixLen).toBe(128);
  });

  it.each([
    '',
    '/24',
    '10.0.0.1/',
    '10.0.0.1/33',
    '10.0.0.1/08',
    '10.0.0.1/-1',
    '10.0.0.1/8/8',
    '10.0.0/8',
    '::1/129',
    '::/1e1',
    'x/8',
    '::1 /64',
  ])('refuses %j', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });

  it('reads what formatPrefix writes', () => {
    const ipv6 = fc.record({ family: fc.constant(INET6), words: fc.tuple(word, word, word, word), prefixLen: fc.nat(128) });
    fc.assert(
      fc.property(ipv6, (prefix) => {
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
      }),
    );
    const ipv4 = fc.record({ words: fc.tuple(word.filter((a) => a !== 0)), prefixLen: fc.nat(32) });
    fc.assert(
      fc.property(ipv4, ({ words: [a], prefixLen }) => {
        const prefix = { family: INET, words: [0, 0, 0xffff, a] as const, prefixLen };
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePrefix(text)));
  });
});
