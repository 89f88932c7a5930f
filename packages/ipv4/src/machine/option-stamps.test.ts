import { emitIpv4Packet, parseIpv4 } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { checkOptions, FoundOptions, OPTIONS_GOOD } from './header-options.ts';
import { stampOptions } from './option-stamps.ts';

const OWN = parseIpv4('10.0.0.2')!;
const own = { isLocal: (address: number) => address === OWN };
const NOW = 0x01020304;

function stamped(kind: number, data: readonly number[]): { readonly wrote: boolean; readonly data: number[] } {
  const flags = { dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0 };
  const options = [{ kind, data: Uint8Array.from(data) }];
  const bytes = emitIpv4Packet({
    ...{ ...flags, tos: 0, id: 0, ttl: 1, protocol: 1, options },
    ...{ src: '10.0.0.1', dst: '10.0.0.2', payload: new Uint8Array(0) },
  });
  const view = new DataView(bytes.buffer);
  const found = new FoundOptions();
  expect(checkOptions(view, 0, bytes.length, found)).toBe(OPTIONS_GOOD);
  const wrote = stampOptions(view, 0, found, OWN, NOW, own);
  return { wrote, data: [...bytes.subarray(22, 22 + data.length)] };
}

const ADDRESS = [10, 0, 0, 2];
/** Not the time of day, and says so. */
const TIME = [0x81, 2, 3, 4];

describe('RFC 791 §3.1', () => {
  test.each([
    ['a route: the first place', 7, [4, 0, 0, 0, 0, 9, 9, 9, 9], [8, ...ADDRESS, 9, 9, 9, 9]],
    ['a route: the last place', 7, [8, 9, 9, 9, 9, 0, 0, 0, 0], [12, 9, 9, 9, 9, ...ADDRESS]],
    ['a time alone', 68, [5, 0, 0, 0, 0, 0, 0, 0, 0, 0], [9, 0, ...TIME, 0, 0, 0, 0]],
    ['a time and an address', 68, [5, 1, 0, 0, 0, 0, 0, 0, 0, 0], [13, 1, ...ADDRESS, ...TIME]],
    ['a time that was asked of us', 68, [5, 3, ...ADDRESS, 0, 0, 0, 0], [13, 3, ...ADDRESS, ...TIME]],
    ['one more finds no room', 68, [9, 0x20, 1, 2, 3, 4], [9, 0x30, 1, 2, 3, 4]],
  ] as const)('%s', (_, kind, before, after) => {
    expect(stamped(kind, before)).toEqual({ wrote: true, data: after });
  });

  test.each([
    ['a route that is full', 7, [8, 9, 9, 9, 9]],
    ['a time that was asked of another', 68, [5, 3, 10, 0, 0, 3, 0, 0, 0, 0]],
    ['nothing for us', 148, [0, 0]],
  ] as const)('left as it is: %s', (_, kind, before) => {
    expect(stamped(kind, before)).toEqual({ wrote: false, data: before });
  });
});
