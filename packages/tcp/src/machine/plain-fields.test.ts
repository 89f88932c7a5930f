import { expect, test } from 'vitest';
import { fillFields, plainFields } from './plain-fields.ts';

class Old {
  count = 3;
  name = 'x';
  isOn = true;
  bytes: Uint8Array | null = Uint8Array.of(1);
  nothing: object | null = null;
  hangs: object = {};
  gone = 5;
}

class Young {
  count = 0;
  name: string | null = null;
  isOn = false;
  bytes: Uint8Array | null = null;
  nothing: object | null = null;
  hangs = 7;
  gone = 'of another sort';
  added = 9;
}

test('what is plain is taken, and put where the next build has a field of its sort', () => {
  const plain = plainFields(new Old());
  expect(plain).toEqual({ count: 3, name: 'x', isOn: true, bytes: Uint8Array.of(1), nothing: null, gone: 5 });
  const young = new Young();
  fillFields(young, plain);
  expect({ ...young }).toEqual({
    ...{ count: 3, name: 'x', isOn: true, bytes: Uint8Array.of(1), nothing: null },
    ...{ hangs: 7, gone: 'of another sort', added: 9 },
  });
});

test('a number is not put where an object may hang', () => {
  const young = new Young();
  fillFields(young, { bytes: 5, nothing: 6, unknown: 7 });
  expect([young.bytes, young.nothing, 'unknown' in young]).toEqual([null, null, false]);
});
