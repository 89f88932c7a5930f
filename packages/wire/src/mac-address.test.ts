import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMac, isGroupMac, isMac, parseMac, putMac } from './mac-address.ts';
import { viewOf } from './view-of.ts';

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });

test('text and back, in either case, with colons or hyphens', () => {
  fc.assert(
    fc.property(mac, (bytes) => {
      const text = formatMac(bytes);
      expect(text).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      for (const form of [text, text.toUpperCase(), text.replaceAll(':', '-')]) expect(parseMac(form)).toEqual(bytes);
    }),
  );
});

test.each([
  '',
  '02:00:00:00:00',
  '02:00:00:00:00:00:00',
  '2:0:0:0:0:0',
  '02:00:00:00:00:0g',
  '02-00:00:00:00:00',
  '020000000000',
  ' 02:00:00:00:00:00',
])('is no MAC address: %j', (text) => {
  expect(parseMac(text)).toBeNull();
});

test('any other text is refused, and nothing throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseMac(text)).toBeNull();
    }),
  );
});

test('put, compared, and read where it stands', () => {
  fc.assert(
    fc.property(mac, fc.nat(5), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
      const memory = new Uint8Array(10);
      const view = viewOf(memory);
      putMac(view, 3, bytes);
      expect(formatMac(memory, 3)).toBe(formatMac(bytes));
      expect(isMac(view, 3, bytes)).toBe(true);
      memory[3 + at]! ^= change;
      expect(isMac(view, 3, bytes)).toBe(false);
      expect([memory[2], memory[9]]).toEqual([0, 0]);
    }),
  );
});

test('groups: multicast and broadcast', () => {
  const isGroup = (text: string) => isGroupMac(viewOf(parseMac(text)!), 0);
  expect(['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:fb', '33:33:00:00:00:01', '02:00:00:00:00:01', '00:01:01:01:01:01'].map(isGroup)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
