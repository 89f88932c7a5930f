import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as nla from './netlink-attribute.ts';
import { emitNetlinkAttributes, parseNetlinkAttributes } from './netlink-attribute-list.ts';
import * as put from './netlink-attribute-put.ts';
import { toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const attribute = fc.record({
  type: fc.nat(0x3fff),
  nested: fc.boolean(),
  netByteOrder: fc.boolean(),
  data: fc.uint8Array({ maxLength: 20 }),
});
const attributes = fc.array(attribute, { maxLength: 6 });

/** Writes into room for 64 bytes among ee, from 2 on. */
function written(write: (view: DataView, at: number, endOffset: number) => number): Uint8Array {
  const bytes = new Uint8Array(70).fill(0xee);
  const next = write(viewOf(bytes), 2, 66);
  expect([...bytes.slice(0, 2), ...bytes.slice(next)].every((byte) => byte === 0xee)).toBe(true);
  return bytes.slice(2, next);
}

test('IFLA_IFNAME "lo", as Linux writes it; and read', () => {
  const bytes = hex('0700 0300 6c6f0000');
  expect(written((view, at, end) => put.putNlaString(view, at, end, 3, 'lo'))).toEqual(bytes);
  const view = viewOf(bytes);
  expect([nla.nlaLenBytes(view, 0, 8), nla.nlaType(view, 0), nla.nlaFlags(view, 0), nla.nlaString(bytes, view, 0)]).toEqual([
    7,
    3,
    0,
    'lo',
  ]);
  expect(nla.nlaString(hex('0600 0300 6c6f'), viewOf(hex('0600 0300 6c6f')), 0)).toBe('lo');
});

test('numbers: little-endian, but the two of the network; padded with zeros', () => {
  expect(written((view, at, end) => put.putNlaFlag(view, at, end, 9))).toEqual(hex('0400 0900'));
  expect(written((view, at, end) => put.putNlaU8(view, at, end, 1, 0xfe))).toEqual(hex('0500 0100 fe000000'));
  expect(written((view, at, end) => put.putNlaU16(view, at, end, 1, 0xfedc))).toEqual(hex('0600 0100 dcfe0000'));
  expect(written((view, at, end) => put.putNlaU32(view, at, end, 1, 0xfedcba98))).toEqual(hex('0800 0100 98badcfe'));
  expect(written((view, at, end) => put.putNlaBe16(view, at, end, 1 | nla.NLA_NET_BYTEORDER, 80))).toEqual(hex('0600 0140 00500000'));
  expect(written((view, at, end) => put.putNlaBe32(view, at, end, 1, 0xc0000201))).toEqual(hex('0800 0100 c0000201'));
  const view = viewOf(hex('0c00 0140 98badcfe 01000000'));
  expect([nla.nlaU8(view, 0), nla.nlaU16(view, 0), nla.nlaU32(view, 0), nla.nlaS32(view, 0)]).toEqual([
    0x98,
    0xba98,
    0xfedcba98,
    0xfedcba98 | 0,
  ]);
  expect([nla.nlaU64(view, 0), nla.nlaBe16(view, 0), nla.nlaBe32(view, 0)]).toEqual([0x1fedcba98n, 0x98ba, 0x98badcfe | 0]);
  expect([nla.nlaType(view, 0), nla.nlaFlags(view, 0)]).toEqual([1, nla.NLA_NET_BYTEORDER]);
});

test('64 bits: the value is aligned to 8, with an empty attribute before it where need be (nla_put_64bit)', () => {
  const value = 0x0102030405060708n;
  const padded = written((view, at, end) => put.putNlaU64(view, at, end, 1, value, 2, 7));
  expect(padded).toEqual(hex('0400 0700 0c00 0100 0807060504030201'));
  const aligned = written((view, at, end) => put.putNlaU64(view, put.putNlaFlag(view, at, end, 9), end, 1, value, 2, 7));
  expect(aligned).toEqual(hex('0400 0900 0c00 0100 0807060504030201'));
});

test('nests', () => {
  const bytes = written((view, at, end) => {
    const inner = put.putNlaU8(view, put.beginNlaNest(view, at, end, 18), end, 1, 5);
    return put.endNlaNest(view, at, put.putNlaU16(view, inner, end, 2, 6));
  });
  expect(bytes).toEqual(hex('1400 1280  0500 0100 05000000  0600 0200 06000000'));
  const [nest] = parseNetlinkAttributes(bytes, 0, bytes.length);
  expect(nest).toMatchObject({ type: 18, nested: true });
});

test('no room: -1, nothing is written, and -1 is passed on', () => {
  const bytes = new Uint8Array(16);
  const view = viewOf(bytes);
  const puts = [
    (at: number, end: number) => put.putNlaU8(view, at, end, 1, 0xff),
    (at: number, end: number) => put.putNlaU16(view, at, end, 1, 0xff),
    (at: number, end: number) => put.putNlaU32(view, at, end, 1, 0xff),
    (at: number, end: number) => put.putNlaBe16(view, at, end, 1, 0xff),
    (at: number, end: number) => put.putNlaBe32(view, at, end, 1, 0xff),
    (at: number, end: number) => put.putNlaU64(view, at, end, 1, 1n, 0, 7),
    (at: number, end: number) => put.putNlaData(view, at, end, 1, hex('ff')),
    (at: number, end: number) => put.putNlaString(view, at, end, 1, 'abc'),
    (at: number, end: number) => put.putNlaFlag(view, at, end, 1),
    (at: number, end: number) => put.beginNlaNest(view, at, end, 1),
  ];
  expect(puts.map((write) => [write(0, 3), write(-1, 16)])).toEqual(puts.map(() => [-1, -1]));
  expect(put.putNlaU64(view, 0, 15, 1, 1n, 0, 7)).toBe(-1);
  const large = [65_531, 65_532].map((lenBytes) => put.putNlaData(viewOf(new Uint8Array(70_000)), 0, 70_000, 1, new Uint8Array(lenBytes)));
  expect(large).toEqual([65_536, -1]);
  expect([put.endNlaNest(view, 0, -1), put.endNlaNest(view, 0, 0x10000)]).toEqual([-1, -1]);
  expect(bytes).toEqual(new Uint8Array(16));
});

test('nla_ok: lengths that lie; the last one may lack its padding', () => {
  const lenBytes = (text: string) => nla.nlaLenBytes(viewOf(hex(text)), 0, hex(text).length);
  expect(['040001', '03000100', '00000100', '05000100', '04000100', '0500010001', '0500010001000000'].map(lenBytes)).toEqual([
    ...[0, 0, 0, 0],
    ...[4, 5, 5],
  ]);
  expect(parseNetlinkAttributes(hex('0500 0100 ff'), 0, 5)).toHaveLength(1);
  expect(parseNetlinkAttributes(hex('0400 0100 00'), 0, 5)).toBe('netlink.attribute');
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(attributes, (value) => {
      const bytes = emitNetlinkAttributes(value);
      expect(bytes.length % 4).toBe(0);
      expect(parseNetlinkAttributes(bytes, 0, bytes.length)).toEqual(value);
    }),
  );
});

test('strings and 64 bits, written and read', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !text.includes('\0')),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (text, value) => {
        const bytes = new Uint8Array(200);
        const view = viewOf(bytes);
        const next = put.putNlaString(view, 0, 200, 1, text);
        expect(nla.nlaString(bytes, view, 0)).toBe(text);
        const end = put.putNlaU64(view, next, 200, 2, value, 0, 3);
        expect(nla.nlaU64(view, end - 12)).toBe(value);
        expect((end - 8) % 8).toBe(0);
      },
    ),
  );
});

test('garbage', () => {
  toleratesGarbage(parseNetlinkAttributes, attributes.map(emitNetlinkAttributes));
});

test.each([{ type: 0x4000 }, { type: -1 }, { data: new Uint8Array(65_532) }])('EINVAL: %#', (bad) => {
  const good = { type: 1, nested: false, netByteOrder: false, data: hex('') };
  expect(() => emitNetlinkAttributes([{ ...good, ...bad }])).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});
