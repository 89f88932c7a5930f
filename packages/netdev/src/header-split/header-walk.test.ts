import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { CurrentOwner, LINK_TYPE, NetDevice, PARSER_LEVEL } from '@softnet/contract';
import { etherLink } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderWalk } from './header-walk.ts';
import { linkParsers } from './link-parsers.ts';
import { ParserTable } from './parser-table.ts';

const { ETHERTYPE, IP_PROTOCOL, UDP_PORT, LINK, END } = PARSER_LEVEL;

function walkOf(parsers: readonly HeaderParser[], owners = parsers.map(() => 1)) {
  const contributions = { token: { sort: 'point', name: 'x', version: '1', key: Symbol('x') } as const, items: parsers, owners };
  const current = new CurrentOwner();
  const walk = new HeaderWalk(new ParserTable(contributions), current);
  return { walk, current, contributions };
}

function deviceOf(type: number): NetDevice {
  const device = new NetDevice({ open: () => {}, stop: () => {}, transmit: () => {} }, etherLink);
  device.type = type;
  return device;
}
const ethernet = deviceOf(LINK_TYPE.ETHER);

function headerBytes(walk: HeaderWalk, bytes: readonly number[], device = ethernet): number {
  return walk.headerBytes(device, new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length);
}

/** So many bytes, then `level` and `number`. */
function fixed(level: number, number: number, lenBytes: number, next: Partial<ParsedHeader> = {}): HeaderParser {
  const parse: HeaderParser['parse'] = (_view, _offset, _end, found) => {
    Object.assign(found, { lenBytes, nextLevel: END, ...next });
    return true;
  };
  return { name: 'fixed', level, number, parse };
}

const MACS: readonly number[] = Object.freeze(new Array(12).fill(2));
const TAG: readonly number[] = Object.freeze([0x81, 0, 0, 7]);
const body = (count: number): number[] => new Array(count).fill(0);

describe('links', () => {
  test.each<[string, readonly number[], number]>([
    ['Ethernet', [...MACS, 8, 0, ...body(20)], 14],
    ['with a tag', [...MACS, ...TAG, 8, 0, ...body(20)], 18],
    ['with two', [...MACS, 0x88, 0xa8, 0, 1, ...TAG, 8, 0, ...body(20)], 22],
    ['with three: the third belongs to the payload', [...MACS, ...TAG, ...TAG, ...TAG, 8, 0, ...body(20)], 22],
    ['cut off', [...MACS, 8], 0],
    ['nothing', [], 0],
    ['a tag that is cut off', [...MACS, ...TAG, 8], 0],
    ['exactly its header', [...MACS, 8, 0], 14],
    ['a length (IEEE 802.3)', [...MACS, 0, 20, ...body(20)], 0],
    ['a length behind a tag', [...MACS, ...TAG, 0, 20, ...body(20)], 0],
  ])('%s', (_what, bytes, expected) => {
    const { walk } = walkOf(linkParsers);
    expect(headerBytes(walk, bytes)).toBe(expected);
    expect(headerBytes(walk, bytes, deviceOf(LINK_TYPE.LOOPBACK))).toBe(expected);
    expect(headerBytes(walk, bytes, deviceOf(LINK_TYPE.TUNNEL)), 'nobody knows the link').toBe(0);
  });

  test('none: IP by its version', () => {
    const { walk } = walkOf([...linkParsers, fixed(ETHERTYPE, 0x800, 20), fixed(ETHERTYPE, 0x86dd, 40)]);
    const none = deviceOf(LINK_TYPE.NONE);
    const of = (first: readonly number[]) => headerBytes(walk, [...first, ...(first.length > 0 ? body(50) : [])], none);
    expect([of([0x45]), of([0x60]), of([0x50]), of([])]).toEqual([20, 40, 0, 0]);
  });
});

describe('the walk', () => {
  const ip = fixed(ETHERTYPE, 0x800, 20, { nextLevel: IP_PROTOCOL, nextNumber: 17 });

  test('from header to header, until one ends it or nobody knows the next', () => {
    const frame = [...MACS, 8, 0, ...body(100)];
    const of = (...more: HeaderParser[]) => headerBytes(walkOf([...linkParsers, ip, ...more]).walk, frame);
    expect(of()).toBe(34);
    expect(of(fixed(IP_PROTOCOL, 17, 8))).toBe(42);
    expect(of(fixed(IP_PROTOCOL, 17, 8, { nextLevel: UDP_PORT, nextNumber: 2049 }), fixed(UDP_PORT, 2049, 10))).toBe(52);
    expect(of(fixed(IP_PROTOCOL, 17, 8, { nextLevel: UDP_PORT, nextNumber: 7, otherNumber: 2049 }), fixed(UDP_PORT, 2049, 10))).toBe(52);
    expect(of(fixed(ETHERTYPE, 17, 8)), 'a number of another level').toBe(34);
    expect(of(fixed(IP_PROTOCOL, 17, 81)), 'more than there is').toBe(34);
    expect(of(fixed(IP_PROTOCOL, 17, 80)), 'all of it').toBe(114);
    for (const odd of [-1, 1.5, Number.NaN, 2 ** 33]) expect(of(fixed(IP_PROTOCOL, 17, odd))).toBe(34);
  });

  test('at most 16 headers', () => {
    const loop = fixed(ETHERTYPE, 0x800, 1, { nextLevel: ETHERTYPE, nextNumber: 0x800 });
    expect(headerBytes(walkOf([...linkParsers, loop]).walk, [...MACS, 8, 0, ...body(100)])).toBe(14 + 15);
    const still = fixed(ETHERTYPE, 0x800, 0, { nextLevel: ETHERTYPE, nextNumber: 0x800 });
    expect(headerBytes(walkOf([...linkParsers, still]).walk, [...MACS, 8, 0, ...body(100)])).toBe(14);
  });

  test('each parser begins with nothing found, as its module; the newest of two is asked', () => {
    const seen: unknown[] = [];
    const noting = (name: string, level: number, number: number, lenBytes: number): HeaderParser => ({
      ...{ name, level, number },
      parse: (_view, offset, end, found) => {
        seen.push(name, current.id, offset, end, { ...found });
        Object.assign(found, { lenBytes, nextLevel: IP_PROTOCOL, nextNumber: 6, otherNumber: 17 });
        return true;
      },
    });
    const { walk, current, contributions } = walkOf(
      [noting('old', LINK, LINK_TYPE.ETHER, 3), noting('new', LINK, LINK_TYPE.ETHER, 5), noting('udp', IP_PROTOCOL, 17, 2)],
      [7, 8, 9],
    );
    const empty = { lenBytes: 0, nextLevel: END, nextNumber: 0, otherNumber: -1 };
    current.id = 3;
    expect(headerBytes(walk, body(6))).toBe(5);
    expect([seen.splice(0), current.id]).toEqual([['new', 8, 0, 6, empty, 'udp', 9, 5, 6, empty], 3]);
    Object.assign(contributions, { items: contributions.items.slice(0, 1), owners: [7] });
    expect([headerBytes(walk, body(6)), seen[0]]).toEqual([3, 'old']);
  });

  test('a number that is none is nobody’s', () => {
    const parsers = [fixed(ETHERTYPE, 0x10000 + 17, 8), fixed(ETHERTYPE, -5, 8), ip, ...linkParsers];
    expect(headerBytes(walkOf(parsers).walk, [...MACS, 8, 0, ...body(100)])).toBe(34);
  });
});

/** A header of this test: its length, the next level's and number's, one byte each. */
function nested(level: number, number: number): HeaderParser {
  return {
    ...{ name: 'nested', level, number },
    parse: (view, offset, end, found) => {
      if (end - offset < 3) return false;
      found.lenBytes = view.getUint8(offset) & 15;
      found.nextLevel = view.getUint8(offset + 1) & 3;
      found.nextNumber = view.getUint8(offset + 2) & 3;
      found.otherNumber = view.getUint8(offset + 2) >> 4;
      return found.lenBytes > 2;
    },
  };
}

/** The same, naively. */
function model(bytes: readonly number[], depth: number): number {
  if (depth === 0 || bytes.length < 3) return 0;
  const len = bytes[0]! & 15;
  if (len < 3 || len > bytes.length) return 0;
  const [nextLevel, next, other] = [bytes[1]! & 3, bytes[2]! & 3, bytes[2]! >> 4];
  const known = (each: number): boolean => nextLevel > 0 && nextLevel < 3 && each > 0 && each < 4;
  if (!known(next) && !known(other)) return len;
  return len + model(bytes.slice(len), depth - 1);
}

describe('whatever the bytes', () => {
  const parsers = [1, 2].flatMap((level) => [1, 2, 3].map((number) => nested(level, number)));
  const link = nested(LINK, LINK_TYPE.ETHER);

  test('as a naive model says; nothing thrown, nothing read behind the end', () => {
    const { walk } = walkOf([...parsers, link]);
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 120 }), fc.nat(9), (bytes, before) => {
        // Behind the end there is something else: it must not be seen.
        const memory = Uint8Array.from([...new Array(before).fill(0x33), ...bytes, 0x33, 0x13, 0x11, 0x33]);
        const end = before + bytes.length;
        expect(walk.headerBytes(ethernet, new DataView(memory.buffer), before, end)).toBe(model(bytes, 16));
      }),
      { numRuns: 2000 },
    );
  });

  test('links too: never more than there is, the same whatever follows', () => {
    const { walk } = walkOf([...linkParsers, fixed(ETHERTYPE, 0x800, 5)]);
    const type = fc.constantFrom([8, 0], [0x81, 0], [0x88, 0xa8], [0, 9]);
    const bytes = fc.tuple(fc.array(type, { maxLength: 6 }), fc.array(fc.nat(255), { maxLength: 30 }));
    fc.assert(
      fc.property(bytes, fc.nat(40), fc.constantFrom(1, 772, 0xfffe), (parts, cut, link) => {
        const [types, rest] = parts;
        const frame = [...MACS, ...types.flatMap((each) => [...each, 0, 1]), ...rest].slice(0, cut);
        const found = headerBytes(walk, frame, deviceOf(link));
        expect(found).toBeLessThanOrEqual(frame.length);
        const longer = new DataView(Uint8Array.from([...frame, 0x81, 0, 8, 0, 8, 0]).buffer);
        expect(walk.headerBytes(deviceOf(link), longer, 0, frame.length)).toBe(found);
      }),
    );
  });
});
