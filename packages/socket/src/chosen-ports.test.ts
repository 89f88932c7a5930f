import type { Random, SockOps } from '@softnet/contract';
import { SockCommon, SockOptions } from '@softnet/contract';
import { HalfSipHash, sipKey } from '@softnet/inet';
import { describe, expect, test } from 'vitest';
import { ChosenPorts } from './chosen-ports.ts';

const [LOW, HIGH] = [10_000, 19_999] as const;
/** What a port of a connection is chosen by: both addresses and the peer's port, never its own port. */
const ENDS = ['protocol', 'remotePort', 'local0', 'local1', 'local2', 'local3', 'remote0', 'remote1', 'remote2', 'remote3'] as const;
const MAX_STEP = 8;

function chance(seed: number): Random {
  let state = seed | 1;
  const u32 = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 0;
  };
  const fill = (bytes: Uint8Array): void => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = u32() >>> 24;
  };
  return { u32, below: (bound) => (u32() >>> 8) % bound, fraction: () => u32() / 2 ** 32, fill };
}

function chosen(seed: number, range: readonly number[] = [LOW, HIGH]): ChosenPorts {
  return new ChosenPorts(chance(seed), new HalfSipHash(sipKey(chance(seed + 1))), () => range);
}

function sockOf(over: Partial<SockCommon> = {}): SockCommon {
  const ends = { protocol: 17, local2: 0xffff, local3: 0x0a000001, remote2: 0xffff, remote3: 0x0b000001, remotePort: 53 };
  return Object.assign(new SockCommon({} as SockOps), ends, over);
}

const all = (): boolean => true;

describe('ports that are chosen', () => {
  test.each(ENDS)('where those of a connection begin depends on %s', (end) => {
    const other = sockOf();
    other[end] ^= 0x40;
    const firsts = Array.from({ length: 4 }, (_, seed) => [chosen(seed).forFlow(sockOf(), all), chosen(seed).forFlow(other, all)]);
    // By chance one of 10,000 is the same.
    expect(firsts.filter(([one, two]) => one === two).length).toBeLessThan(2);
  });

  test('those of one peer follow one another by small steps that vary, and none comes twice before the range is through', () => {
    const ports = chosen(5);
    const sock = sockOf();
    const row = Array.from({ length: 1000 }, () => ports.forFlow(sock, all));
    const steps = row.slice(1).map((port, i) => (port - row[i]! + HIGH - LOW + 1) % (HIGH - LOW + 1));
    expect(Math.min(...steps)).toBe(1);
    expect(Math.max(...steps)).toBe(MAX_STEP);
    expect(new Set(steps).size).toBe(MAX_STEP);
    expect(new Set(row).size).toBe(1000);
  });

  test('ports that will not do are stepped over, and not asked for again at the next call', () => {
    const ports = chosen(5);
    const sock = sockOf();
    const first = ports.forFlow(sock, all);
    let asked = 0;
    const far = (port: number): boolean => {
      asked++;
      return (port - first + 10_000) % 10_000 > 500;
    };
    ports.forFlow(sock, far);
    const before = asked;
    ports.forFlow(sock, far);
    expect([before > 400, asked - before]).toEqual([true, 1]);
  });

  test.each([
    ['all are taken', [LOW, HIGH], () => false, 0],
    ['one is left', [LOW, HIGH], (port: number) => port === 12_345, 12_345],
    ['there is one', [7, 7], () => true, 7],
  ] as const)('%s', (_what, range, isGood, port) => {
    expect([chosen(3, range).any(sockOf(), isGood), chosen(3, range).forFlow(sockOf(), isGood)]).toEqual([port, port]);
  });

  test.each([
    ['all of its own', 12_000, 12_001, [12_000, 12_001]],
    ['from its lowest', HIGH - 1, 0, [HIGH - 1, HIGH]],
    ['to its highest', 0, LOW + 1, [LOW, LOW + 1]],
    ['where its lowest is beyond', LOW - 1, LOW + 1, [LOW, LOW + 1]],
    ['where its highest is beyond', HIGH - 1, HIGH + 1, [HIGH - 1, HIGH]],
    ['the largest of all', 65_535, 65_535, []],
  ])('a socket with a range of its own, within that of all: %s', (_what, low, high, expected) => {
    const sock = sockOf({ options: Object.assign(new SockOptions(), { portRange: low | (high << 16) }) });
    for (const how of ['any', 'forFlow'] as const) {
      const asked = new Set<number>();
      const isGood = (port: number): boolean => {
        asked.add(port);
        return false;
      };
      expect(chosen(5)[how](sock, isGood)).toBe(0);
      if (expected.length > 0) expect([...asked].toSorted()).toEqual(expected);
      else expect([asked.size, Math.min(...asked), Math.max(...asked)]).toEqual([HIGH - LOW + 1, LOW, HIGH]);
    }
  });

  test('who names no peer begins anywhere', () => {
    const ports = chosen(9);
    const row = Array.from({ length: 200 }, () => ports.any(sockOf(), all));
    expect(new Set(row).size).toBeGreaterThan(190);
    expect([Math.min(...row) >= LOW, Math.min(...row) < 11_000, Math.max(...row) > 19_000, Math.max(...row) <= HIGH]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});
