import type { AddressWords } from '@softnet/contract';
import type { Arbitrary } from 'fast-check';
import fc from 'fast-check';
import { formatIpv4 } from '../ipv4-address.ts';
import { formatIpv6 } from '../ipv6-address.ts';
import { formatMac } from '../mac-address.ts';
import type { HeaderOption } from '../option-list.ts';
import { OPTION_NOP } from '../option-list.ts';

/** int32, its edges often. */
export const int32: Readonly<Arbitrary<number>> = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000, 0xffff),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);
export const u8: Readonly<Arbitrary<number>> = fc.integer({ min: 0, max: 0xff });
export const u16: Readonly<Arbitrary<number>> = fc.oneof(fc.constantFrom(0, 1, 0xff, 0x100, 0xffff), fc.integer({ min: 0, max: 0xffff }));
export const payload: Readonly<Arbitrary<Uint8Array>> = fc.uint8Array({ maxLength: 80 });

export const ipv4Text: Readonly<Arbitrary<string>> = int32.map(formatIpv4);
export const ipv6Words: Readonly<Arbitrary<AddressWords>> = fc.tuple(int32, int32, int32, int32);
export const ipv6Text: Readonly<Arbitrary<string>> = ipv6Words.map((words) => formatIpv6(...words));
export const macText: Readonly<Arbitrary<string>> = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => formatMac(bytes));

const nop: Readonly<Arbitrary<HeaderOption>> = fc.constant({ kind: OPTION_NOP, data: new Uint8Array(0) });
const option: Readonly<Arbitrary<HeaderOption>> = fc.record({
  kind: fc.integer({ min: 2, max: 0xff }),
  data: fc.uint8Array({ maxLength: 12 }),
});

/** As many as fit into a header. */
export const headerOptions: Readonly<Arbitrary<readonly HeaderOption[]>> = fc
  .array(fc.oneof(nop, option), { maxLength: 8 })
  .map((options) => {
    const lenBytes = (list: readonly HeaderOption[]) =>
      list.reduce((sum, { kind, data }) => sum + (kind === OPTION_NOP ? 1 : 2 + data.length), 0);
    let fitting = options;
    while (lenBytes(fitting) > 40) fitting = fitting.slice(1);
    return fitting;
  });
