import { definePoint, defineService, NetError } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { ContributionCell } from './contribution-cell.ts';
import { PortCell } from './port-cell.ts';
import { Switchboard } from './switchboard.ts';

interface Adder {
  add(n: number): number;
}
class By {
  readonly #n: number;
  constructor(n: number) {
    this.#n = n;
  }
  add(n: number): number {
    return n + this.#n;
  }
}
const Cell = defineService<Adder>({ name: 'Adder', version: '1.0.0' });
const Fixed = defineService<Adder>({ name: 'FixedAdder', version: '1.0.0', errno: 'ENETUNREACH', methods: ['add'] });
const Dropper = defineService<Adder>({ name: 'Dropper', version: '1.0.0', absent: () => ({ add: () => 0 }) });

describe.each([
  ['a cell', Cell],
  ['a fixed record', Fixed],
] as const)('a port that is %s', (_sort, token) => {
  test('always holds the newest visible provider, else a stand-in that refuses', () => {
    const port = new PortCell<Adder>(token, false);
    expect(() => port.current.add(1)).toThrow(NetError);
    expect(() => port.current.add(1)).toThrow(`${token.errno}: no module provides ${token.name} now: load one`);
    const one = port.publish(new By(1), 'a#1', 1);
    expect([port.current.add(1), port.present, port.owner]).toEqual([2, true, 1]);
    const two = port.publish(new By(2), 'a#2', 2);
    expect([port.current.add(1), port.owner]).toEqual([3, 2]);
    port.show(two, false);
    expect(port.current.add(1)).toBe(2);
    port.show(one, false);
    expect([port.present, port.owner]).toEqual([false, 0]);
    expect(() => port.current.add(1)).toThrow(/a#2 is leaving/);
    port.show(two, true);
    port.retract(one);
    expect(port.current.add(1)).toBe(3);
    port.retract(two);
    expect(() => port.current.add(1)).toThrow(/no module provides/);
  });
});

test('a fixed record is one object for ever, whoever provides', () => {
  const port = new PortCell<Adder>(Fixed, false);
  const { current } = port;
  port.publish(new By(1), 'a#1', 1);
  expect(port.current).toBe(current);
  expect(current.add(1)).toBe(2);
});

test('a service on the packet’s way says itself what its absence means', () => {
  expect(new PortCell<Adder>(Dropper, false).current.add(5)).toBe(0);
});

test('an await of a stand-in does not call it', async () => {
  const { current } = new PortCell<Adder>(Cell, false);
  expect(await current).toBe(current);
});

test('contributions are an immutable array, made anew at each change, with their owners', () => {
  const Point = definePoint<{ name: string }>({ name: 'Point', version: '1.0.0' });
  const cell = new ContributionCell<{ name: string }>(Point);
  const before = cell.items;
  const a = cell.publish({ name: 'a' }, 1);
  cell.publish({ name: 'b' }, 2);
  const both = cell.items;
  expect(both.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(cell.owners).toEqual([1, 2]);
  expect(before).toEqual([]);
  cell.show(a, false);
  expect(cell.items.map(({ name }) => name)).toEqual(['b']);
  cell.show(a, true);
  expect(cell.items.map(({ name }) => name)).toEqual(['a', 'b']);
  cell.retract(a);
  expect(cell.owners).toEqual([2]);
  expect(both).toHaveLength(2);
});

test('who watches contributions is raised at each change, until he has seen enough', () => {
  const cell = new ContributionCell<{ name: string }>(definePoint<{ name: string }>({ name: 'Point', version: '1.0.0' }));
  const raised: string[][] = [];
  const end = cell.watch({ raise: () => void raised.push(cell.items.map(({ name }) => name)) });
  const a = cell.publish({ name: 'a' }, 1);
  cell.show(a, false);
  cell.show(a, true);
  end();
  cell.retract(a);
  expect(raised).toEqual([['a'], [], ['a']]);
});

test('two copies of a token of one major lead to one cell, another major to another', () => {
  const board = new Switchboard(false);
  const again = defineService<Adder>({ name: 'Adder', version: '1.7.0' });
  const next = defineService<Adder>({ name: 'Adder', version: '2.0.0' });
  const port = board.port(Cell);
  expect(board.port(again)).toBe(port);
  expect(board.port(next)).not.toBe(port);
});
