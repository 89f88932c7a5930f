import type { SockOps } from '@softnet/contract';
import { SockCommon } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChainTable } from './chain-table.ts';

const ops = {} as SockOps;

function sockOf(hash: number): SockCommon {
  return Object.assign(new SockCommon(ops), { hash });
}

/** The sockets of this hash, as they are met. */
function found(table: ChainTable, hash: number): SockCommon[] {
  const all: SockCommon[] = [];
  for (let at = table.first(hash); at !== null; at = at.hashNext) if (at.hash === hash) all.push(at);
  return all;
}

const step = fc.record({
  what: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'substitute'),
  hash: fc.nat(40),
  pick: fc.nat(999),
});

describe('the chain table', () => {
  test('holds what a list holds, the last first for each hash, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, salt) => {
        const table = new ChainTable();
        const model: SockCommon[] = [];
        for (const { what, hash, pick } of steps) {
          const at = model.length - 1 - (pick % (model.length || 1));
          const other = model[at];
          const sock = sockOf(what === 'substitute' ? (other?.hash ?? 0) : Math.imul(hash, 0x9e3779b1) ^ salt);
          if (what === 'insert') {
            table.insert(sock);
            model.push(sock);
          } else if (other !== undefined && what === 'remove') {
            expect([table.remove(other), table.remove(other), table.has(other), other.hashNext]).toEqual([true, false, false, null]);
            model.splice(at, 1);
          } else if (other !== undefined) {
            table.substitute(other, sock);
            expect([table.has(other), table.has(sock), other.hashNext]).toEqual([false, true, null]);
            model[at] = sock;
          }
          expect(table.count).toBe(model.length);
        }
        for (const hash of new Set(model.map((sock) => sock.hash))) {
          const wanted = model.filter((sock) => sock.hash === hash).toReversed();
          const met = found(table, hash);
          expect([met.length, met.every((sock, i) => sock === wanted[i])]).toEqual([wanted.length, true]);
        }
      }),
    );
  });

  test('has three chains for two sockets, up to six, and shrinks with them to what it was', () => {
    const table = new ChainTable();
    const fewest = table.chains;
    const socks = Array.from({ length: 5000 }, (_, i) => sockOf(Math.imul(i, 0x9e3779b1)));
    for (const sock of socks) {
      table.insert(sock);
      expect(table.chains * 2).toBeGreaterThanOrEqual((table.count - 1) * 3);
    }
    expect(table.chains).toBeLessThanOrEqual(5000 * 1.5 + fewest);
    for (const sock of socks) {
      table.remove(sock);
      expect(table.chains <= fewest || table.chains <= 3 * table.count).toBe(true);
    }
    expect(table.chains).toBe(fewest);
  });
});
