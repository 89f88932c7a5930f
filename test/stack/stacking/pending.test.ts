import type { DatagramUser } from '@softnet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Answers, AskingModule, LIMIT } from './asking-module.ts';
import type { StackedNet } from './stacked-net.ts';
import { B_INSIDE, packetsOut, stackedNet } from './stacked-net.ts';

const INET = 2;
let all: StackedNet;
let user: DatagramUser;
beforeEach(async () => {
  all = await stackedNet({ veiled: false });
  await all.net.run(all.a.kernel.load(AskingModule));
  user = all.a.open({ family: INET, name: 'user' });
  user.connect(B_INSIDE, 7);
});
afterEach(async () => {
  user.close();
  await all.net.pass(10);
  expect(packetsOut(all)).toEqual([0, 0, 0, 0]);
  await all.net.dispose();
});

const answers = (): Answers => all.a.kernel.port(Answers).current;
const say = (...bytes: number[]): number[] => bytes.map((byte) => user.trySend(Uint8Array.of(byte)));
async function heard(): Promise<number[]> {
  await all.net.pass(20);
  const bytes: number[] = [];
  for (let got = user.tryReceive(); typeof got !== 'number'; got = user.tryReceive()) bytes.push(got.data[0]!);
  return bytes;
}
const holders = (): string[] => all.a.kernel.holders('asking').map(({ kind, count, owner }) => `${owner} ${kind} ${count}`);

test('packets wait, bounded, for an answer of hours; then they go in order, before anything newer', async () => {
  expect(say(1, 2, 3)).toEqual([1, 1, 1]);
  await all.net.pass(3_600_000);
  expect(await heard()).toEqual([]);
  expect(holders()).toEqual(['user asking 1', 'asking#1 packet 3']);
  say(4, 5, 6, 7, 8, 9);
  expect(all.a.kernel.dropReasons().find(({ name }) => name === 'asking.full')?.count).toBe(9 - LIMIT);
  answers().yes();
  say(10);
  expect(await heard()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10]);
  expect(holders()).toEqual([]);
});

test('no answer: they are dropped, and later ones wait again', async () => {
  say(1, 2);
  answers().no();
  expect(await heard()).toEqual([]);
  expect(all.a.kernel.dropReasons().find(({ name }) => name === 'asking.refused')?.count).toBe(2);
  say(3);
  expect(holders()).toEqual(['user asking 1', 'asking#1 packet 1']);
  answers().yes();
  expect(await heard()).toEqual([3]);
});

test('what passes through waits, too; and the module goes when nobody waits any more', async () => {
  const asked = all.c.ping(B_INSIDE, { timeoutMs: 5000 });
  say(1);
  await all.net.pass(1000);
  expect(holders()).toEqual(['user asking 1', 'asking#1 packet 2']);
  answers().yes();
  await all.net.run(asked);
  expect(await heard()).toEqual([1]);
  const unload = all.a.kernel.unload('asking');
  await all.net.pass(10);
  expect(holders()).toEqual(['user asking 1']);
  say(2);
  expect(await all.net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  expect(await heard()).toEqual([2]);
});
