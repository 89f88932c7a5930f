import type { AddressWords } from '@softnet/contract';
import { ICMPV6_TYPE } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedirectMessage } from './redirect-value.ts';
import { emitRedirect, parseRedirect } from './redirect-value.ts';

const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()).map(([a, b, c, d]): AddressWords => [a, b, c, d]);
const message: fc.Arbitrary<RedirectMessage> = fc.record({
  target: words,
  destination: words,
  linkAddress: fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 })),
  packet: fc.nat(60).chain((units) => fc.uint8Array({ minLength: units * 8, maxLength: units * 8 })),
});

describe('a redirect', () => {
  it('is the same, emitted and parsed', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(parseRedirect(emitRedirect(value), 6)).toEqual(value);
      }),
    );
  });

  it('keeps whole units of 8 bytes of the packet', () => {
    const value = { target: [0, 0, 0, 1], destination: [0, 0, 0, 1], linkAddress: null, packet: new Uint8Array(47).fill(7) } as const;
    expect(parseRedirect(emitRedirect(value), 6)?.packet).toEqual(new Uint8Array(40).fill(7));
  });

  it('is none when it is cut off, or an option has no length; nothing outside is read', () => {
    const parse = (payload: Uint8Array) => parseRedirect({ type: ICMPV6_TYPE.REDIRECT, code: 0, rest: 0, payload }, 6);
    expect([parse(new Uint8Array(31)), parse(new Uint8Array(40))]).toEqual([null, null]);
    expect(parseRedirect({ type: 134, code: 0, rest: 0, payload: new Uint8Array(32) }, 6)).toBeNull();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (payload) => void parse(payload)));
  });
});
