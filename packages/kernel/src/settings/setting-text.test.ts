import type { SettingSpec } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedValue, checkSpec, settingText, settingValue } from './setting-text.ts';

const range = fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const int = ({ min, max }: { min: number; max: number }) => fc.integer({ min, max });

/** A spec, and a value that it allows. */
const specAndValue: fc.Arbitrary<[SettingSpec, unknown]> = fc.oneof(
  fc.tuple(fc.record({ type: fc.constant('bool' as const), default: fc.boolean() }), fc.boolean()),
  range.chain((r) =>
    fc.tuple(
      int(r).map((n) => ({ type: 'int' as const, default: n, ...r })),
      int(r),
    ),
  ),
  range.chain((r) =>
    fc.integer({ min: 1, max: 5 }).chain((n) => {
      const values = fc.array(int(r), { minLength: n, maxLength: n });
      return fc.tuple(
        values.map((list) => ({ type: 'ints' as const, default: list, ...r })),
        values,
      );
    }),
  ),
  range.chain((r) => fc.tuple(fc.constant({ type: 'ints' as const, default: [], ...r }), fc.array(int(r)))),
  fc.array(fc.string(), { minLength: 1 }).chain((values) => {
    const one = fc.constantFrom(...values);
    return fc.tuple(
      one.map((value) => ({ type: 'enum' as const, default: value, values })),
      one,
    );
  }),
  fc.string().map((text): [SettingSpec, string] => [{ type: 'string', default: '', maxLength: text.length }, text]),
);

describe('the text of a setting', () => {
  it('says the value, and is read back as it', () => {
    fc.assert(
      fc.property(specAndValue, ([spec, given]) => {
        checkSpec('net.a', spec);
        const value = settingValue('net.a', spec, given);
        expect(value).toEqual(Array.isArray(given) ? given.map((n) => n + 0) : typeof given === 'number' ? given + 0 : given);
        expect(settingValue('net.a', spec, settingText(value))).toEqual(value);
      }),
    );
  });

  it('rises, where it is a range', () => {
    const spec: SettingSpec = { type: 'ints', default: [1, 5], min: 0, max: 9, rising: true };
    expect([[2, 2], '3 9', [5, 4], '9 0'].map((given) => allowedValue(spec, given))).toEqual([[2, 2], [3, 9], undefined, undefined]);
    expect(() => settingValue('net.a', spec, '5 4')).toThrow(/none below the one before it/);
    expect(() => checkSpec('net.a', { ...spec, default: [5, 1] })).toThrow('EINVAL');
  });

  it('is refused with EINVAL or gives an allowed value, whatever is given', () => {
    fc.assert(
      fc.property(specAndValue, fc.oneof(fc.anything(), fc.string()), ([spec, _value], given) => {
        const value = allowedValue(spec, given);
        if (value === undefined) expect(() => settingValue('net.a', spec, given)).toThrow(/^EINVAL: net\.a takes /);
        else expect(allowedValue(spec, settingText(value))).toEqual(value);
      }),
    );
  });

  it.each([[{ toString: 0 }], [[{ toString: 0 }]], [Object.create(null)], [Symbol('x')]])(
    'is refused with EINVAL though it cannot be printed',
    (given) => {
      expect(() => settingValue('net.a', { type: 'int', default: 1, min: 0, max: 9 }, given as never)).toThrow(/^EINVAL: net\.a takes /);
    },
  );

  const int9: SettingSpec = { type: 'int', default: 1, min: -9, max: 9, unit: 'ms' };
  const three: SettingSpec = { type: 'ints', default: [1, 2, 3], min: 0, max: 9 };

  it.each<[SettingSpec, unknown, unknown]>([
    [int9, ' -7 ', -7],
    [int9, '+3', 3],
    [int9, -0, 0],
    [int9, '-0', 0],
    [int9, '1.5', undefined],
    [int9, 1.5, undefined],
    [int9, '1e0', undefined],
    [int9, '0x1', undefined],
    [int9, '', undefined],
    [int9, 10, undefined],
    [int9, true, undefined],
    [int9, Number.NaN, undefined],
    [three, '1 2 3', [1, 2, 3]],
    [three, '1,2, 3', [1, 2, 3]],
    [three, '1 2', undefined],
    [three, '1 2 3 4', undefined],
    [three, '1 2 x', undefined],
    [three, [1, 2, 10], undefined],
    [three, 1, undefined],
    [{ ...three, default: [] }, '', []],
    [{ ...three, default: [] }, '4', [4]],
    [{ type: 'bool', default: false }, '1', true],
    [{ type: 'bool', default: false }, 0, false],
    [{ type: 'bool', default: false }, 'yes', undefined],
    [{ type: 'bool', default: false }, 2, undefined],
    [{ type: 'enum', default: 'a', values: ['a', 'b'] }, 'b', 'b'],
    [{ type: 'enum', default: 'a', values: ['a', 'b'] }, 'B', undefined],
    [{ type: 'string', default: '', maxLength: 2 }, ' x', ' x'],
    [{ type: 'string', default: '', maxLength: 2 }, 'abc', undefined],
    [{ type: 'string', default: '', maxLength: 2 }, 12, undefined],
  ])('%j takes %j as %j', (spec, given, expected) => {
    expect(allowedValue(spec, given)).toEqual(expected);
  });

  it('names range, unit and what was given', () => {
    expect(() => settingValue('net.a', int9, '10')).toThrow("EINVAL: net.a takes an integer from -9 to 9 (ms), got '10'");
    expect(() => settingValue('net.a', three, [1])).toThrow('EINVAL: net.a takes 3 integers from 0 to 9, got [1]');
  });
});
