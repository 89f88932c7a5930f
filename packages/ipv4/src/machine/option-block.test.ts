import { emitIpv4Packet, formatIpv4, parseIpv4 } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOptions, FoundOptions, OPTIONS_GOOD } from './header-options.ts';
import { compileOptions, OptionBlock, reverseOptions, writeOptions } from './option-block.ts';

const flags = { dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, tos: 0, id: 0, ttl: 1, protocol: 1 };
const address = (text: string): number[] => text.split('.').map(Number);
const bytesOf = (block: OptionBlock): number[] => [...new Uint8Array(block.view.buffer, 0, block.lenBytes)];

function reversed(options: { kind: number; data: readonly number[] }[], src = '10.0.0.1'): OptionBlock | null {
  const list = options.map(({ kind, data }) => ({ kind, data: Uint8Array.from(data) }));
  const bytes = emitIpv4Packet({ ...flags, src, dst: '10.0.9.9', options: list, payload: new Uint8Array(0) });
  const block = new OptionBlock();
  return reverseOptions(new DataView(bytes.buffer), 0, bytes.length, block) ? block : null;
}

describe('what a user sets', () => {
  test('a source route begins at its first hop, and ends with the destination', () => {
    const route = [131, 11, 4, ...address('10.0.1.1'), ...address('10.0.2.2')];
    const block = compileOptions(Uint8Array.from(route))!;
    expect([formatIpv4(block.firstHop), block.strict, block.lenBytes]).toEqual(['10.0.1.1', false, 12]);
    const view = new DataView(new ArrayBuffer(60));
    writeOptions(block, view, 0, parseIpv4('10.0.3.3')!);
    expect([...new Uint8Array(view.buffer, 20, 12)]).toEqual([131, 11, 4, ...address('10.0.2.2'), ...address('10.0.3.3'), 0]);
  });

  test.each([
    ['too many', new Array(41).fill(1)],
    ['cut off', [7, 9, 4]],
    ['a pointer below', [7, 7, 3, 0, 0, 0, 0]],
    ['a route that has begun', [131, 11, 8, 1, 1, 1, 1, 2, 2, 2, 2]],
    ['a route to nowhere', [137, 3, 4]],
    ['a route with half an address', [131, 9, 4, 1, 1, 1, 1, 2, 2]],
    ['two routes', [131, 7, 4, 1, 1, 1, 1, 137, 7, 4, 1, 1, 1, 1]],
  ])('refused: %s', (_, bytes) => {
    expect(compileOptions(Uint8Array.from(bytes))).toBeNull();
  });

  test('whatever it takes is good in a packet', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 3, 4, 5, 7, 8, 11, 68, 131, 137, 148, 255), { maxLength: 40 }), (bytes) => {
        const block = compileOptions(Uint8Array.from(bytes));
        if (block === null) return;
        const view = new DataView(new ArrayBuffer(60));
        writeOptions(block, view, 0, -1);
        expect(block.lenBytes % 4).toBe(0);
        expect(checkOptions(view, 0, 20 + block.lenBytes, new FoundOptions())).toBe(OPTIONS_GOOD);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the options of an answer (RFC 1122 §3.2.2.6)', () => {
  test('routes and times go on where they were; what is for this way only does not', () => {
    const route = { kind: 7, data: [8, 1, 1, 1, 1, 0, 0, 0, 0] };
    const time = { kind: 68, data: [9, 0, 1, 2, 3, 4, 0, 0, 0, 0] };
    const block = reversed([{ kind: 148, data: [0, 0] }, route, { kind: 130, data: [1] }, time])!;
    expect(bytesOf(block)).toEqual([7, 11, ...route.data, 68, 12, ...time.data, 0]);
    expect([block.firstHop, block.lastHopAt]).toEqual([0, 0]);
  });

  test('a route that was followed leads back', () => {
    const hops = ['10.0.1.1', '10.0.2.2', '10.0.3.3'];
    const block = reversed([{ kind: 137, data: [16, ...hops.flatMap(address)] }])!;
    expect([formatIpv4(block.firstHop), block.strict]).toEqual(['10.0.3.3', true]);
    const view = new DataView(new ArrayBuffer(60));
    writeOptions(block, view, 0, parseIpv4('10.0.0.1')!);
    const expected = [137, 15, 4, ...address('10.0.2.2'), ...address('10.0.1.1'), ...address('10.0.0.1'), 0];
    expect([...new Uint8Array(view.buffer, 20, 16)]).toEqual(expected);
  });

  test('one that begins with its sender is mended; of one hop nothing is left but that hop', () => {
    const block = reversed([{ kind: 131, data: [12, ...address('10.0.0.1'), ...address('10.0.2.2')] }])!;
    expect([formatIpv4(block.firstHop), bytesOf(block)]).toEqual(['10.0.2.2', [131, 7, 4, 0, 0, 0, 0, 0]]);
    expect(bytesOf(reversed([{ kind: 131, data: [8, ...address('10.0.0.1')] }])!)).toEqual([]);
  });

  test('one that has not come to its end leads nowhere', () => {
    expect(reversed([{ kind: 131, data: [4, ...address('10.0.2.2')] }])).toBeNull();
  });
});
