import { describe, expect, it } from 'vitest';
import { mtuOption, onlyOptions } from './options.ts';

describe('options of devices', () => {
  it('those that are known', () => {
    expect(onlyOptions('tap', { a: 1 }, ['a', 'b'])).toBeUndefined();
    expect(() => onlyOptions('tap', { a: 1, c: 2 }, ['a', 'b'])).toThrow('EINVAL: tap: there is no option c; it takes a, b');
  });

  it('an MTU', () => {
    expect([mtuOption('tap', undefined, 9000), mtuOption('tap', 68, 9000), mtuOption('tap', 9000, 9000)]).toEqual([1500, 68, 9000]);
    for (const wrong of [67, 9001, 1500.5, '1500', null, Number.NaN]) {
      expect(() => mtuOption('tap', wrong, 9000)).toThrow(/EINVAL: tap: mtuBytes takes 68 to 9000, got/);
    }
  });
});
