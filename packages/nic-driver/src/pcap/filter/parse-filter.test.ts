import { NetError } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PacketFilter } from './packet-filter.ts';
import { MAX_FILTER_DEPTH, parseFilter } from './parse-filter.ts';

const udp = { proto: 'udp' } as const;
const tcp = { proto: 'tcp' } as const;
const arp = { proto: 'arp' } as const;

test.each<[string, PacketFilter]>([
  ['', { and: [] }],
  ['  udp ', udp],
  ['UDP', udp],
  // As tcpdump has it: neither binds tighter.
  ['udp or tcp and arp', { and: [{ or: [udp, tcp] }, arp] }],
  ['udp and tcp or arp', { or: [{ and: [udp, tcp] }, arp] }],
  ['not udp and tcp', { and: [{ not: udp }, tcp] }],
  ['!(udp||tcp)&&arp', { and: [{ not: { or: [udp, tcp] } }, arp] }],
  ['not not udp', { not: { not: udp } }],
  ['udp port 53', { and: [udp, { port: 53 }] }],
  ['tcp dst port 80', { and: [tcp, { port: 80, side: 'dst' }] }],
  ['ip src net 10.0.0.0/8', { and: [{ proto: 'ip' }, { net: '10.0.0.0/8', side: 'src' }] }],
  ['host fd00::1', { net: 'fd00::1' }],
  ['dst 10.0.0.1', { net: '10.0.0.1', side: 'dst' }],
  ['ether src 02:00:00:00:00:01', { ether: '02:00:00:00:00:01', side: 'src' }],
  ['ether host 02:00:00:00:00:01', { ether: '02:00:00:00:00:01' }],
  ['vlan and vlan 7', { and: [{ vlan: 'any' }, { vlan: 7 }] }],
  ['greater 100 and less 200', { and: [{ minBytes: 100 }, { maxBytes: 200 }] }],
  ['dropped', { dropped: true }],
])('%s', (text, filter) => {
  expect(parseFilter(text)).toEqual(filter);
});

test.each([
  ['upd', 'at character 1: expected ip, ip6, arp, udp'],
  ['udp port', 'at character 9: expected a number, 0 to 65535, found the end'],
  ['port http', "at character 6: expected a number, 0 to 65535, found 'http'"],
  ['port 65536', 'at character 6: expected a number'],
  ['udp and', 'at character 8: expected ip,'],
  ['udp tcp', "at character 5: expected and, or, or the end, found 'tcp'"],
  ['(udp', 'at character 5: expected and, or, or ), found the end'],
  ['udp)', "at character 4: expected and, or, or the end, found ')'"],
  ['host 10.0.0', "at character 6: expected an address like '10.0.0.1'"],
  ['net 10.0.0.0/33', 'expected a prefix like'],
  ['src', 'at character 4: expected host A, net A/LEN, port N'],
  ['icmp port 7', 'at character 6: expected'],
  ['udp host 10.0.0.1', 'at character 5: expected port N'],
  ['ether 02:00:00:00:00:01', 'expected host, src or dst'],
  ['ether host nobody', "expected a link address like '02:00:00:00:00:01'"],
  ['vlan 4096', 'expected a number, 0 to 4095'],
  ['udp & tcp', "at character 5: expected and, or, or the end, found '&'"],
  ['('.repeat(100), `expected no more than ${MAX_FILTER_DEPTH} levels`],
  ['x'.repeat(5000), 'it is longer than 4096 characters'],
])('says where %s is wrong, and what was expected', (text, sentence) => {
  expect(() => parseFilter(text)).toThrow(NetError);
  expect(() => parseFilter(text)).toThrow(sentence);
});

test('never throws anything else, whatever is written', () => {
  const word = fc.constantFrom(
    'udp',
    'and',
    'or',
    'not',
    '(',
    ')',
    'src',
    'host',
    'net',
    'port',
    'ether',
    'vlan',
    '10.0.0.1',
    'fd00::/8',
    '53',
    '!',
    '&&',
    '|',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }).map((words) => words.join(' ')),
  );
  let parsed = 0;
  fc.assert(
    fc.property(text, (filter) => {
      try {
        parseFilter(filter);
        parsed++;
      } catch (error) {
        expect(error).toBeInstanceOf(NetError);
        expect((error as NetError).code).toBe('EINVAL');
      }
    }),
    { numRuns: 600 },
  );
  expect(parsed).toBeGreaterThan(10);
});

test('a long row of tests is read, and is no deep tree', () => {
  const text = Array.from({ length: 400 }, () => 'udp').join(' and ');
  expect(parseFilter(text)).toEqual({ and: Array.from({ length: 400 }, () => udp) });
});
