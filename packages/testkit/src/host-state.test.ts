import { afterEach, expect, test } from 'vitest';
import { HostState } from './host-state.ts';

const made: PropertyKey[] = [];

function define(key: PropertyKey): void {
  Object.defineProperty(globalThis, key, { configurable: true, value: 1 });
  made.push(key);
}

afterEach(() => {
  for (const key of made.splice(0)) Reflect.deleteProperty(globalThis, key);
});

test('a global that was not there is news, by name or by symbol; what Node makes for itself is not', () => {
  const before = HostState.now();
  for (const key of ['left', Symbol('left'), Symbol.for('undici.globalDispatcher.9')]) define(key);
  expect(before.news()).toEqual(['a new global: left', 'a new global: Symbol(left)']);
});
