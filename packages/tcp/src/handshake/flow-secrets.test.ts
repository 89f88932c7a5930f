import type { Random } from '@softnet/contract';
import { FlowKey } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { expect, test } from 'vitest';
import { FlowSecrets } from './flow-secrets.ts';

const KEY = Object.assign(new FlowKey(), { local2: 0xffff, local3: 0x0a000001, remote2: 0xffff, remote3: 0x0a000002 });

function secrets(seed: number): FlowSecrets {
  let state = seed;
  return new FlowSecrets({ u32: () => (state = Math.imul(state ^ 0x5bd1e995, 2654435761) >>> 0) } as Random);
}

/** All that is derived of these ends. */
function derived(from: FlowSecrets, key: FlowKey, localPort: number, remotePort: number): number[] {
  const aimed = from.aim(key, localPort, remotePort);
  return [
    aimed.initialSequence(0),
    aimed.tsOffset(),
    aimed.place(),
    aimed.cookieHash(0, 0),
    aimed.cookieHash(1, 0),
    aimed.cookieHash(1, 1),
  ];
}

test('the same ends and key give the same; another key, another end, another purpose something else', () => {
  const one = secrets(1);
  const seen = derived(one, KEY, 80, 4000);
  expect(derived(one, KEY, 80, 4000)).toEqual(seen);
  const all = [...seen, ...derived(secrets(2), KEY, 80, 4000), ...derived(one, KEY, 4000, 80), ...derived(one, KEY, 80, 4001)];
  for (const field of ['local0', 'local1', 'local2', 'local3', 'remote0', 'remote1', 'remote2', 'remote3'] as const) {
    all.push(...derived(one, Object.assign(new FlowKey(), KEY, { [field]: KEY[field] + 1 }), 80, 4000));
  }
  expect(new Set(all).size).toBe(all.length);
});

test('sequence numbers rise by one each 4 µs, and go on where others wrap', () => {
  const aimed = secrets(3).aim(KEY, 80, 4000);
  const first = aimed.initialSequence(0);
  for (const us of [4, 2 ** 31, 2 ** 33, 2 ** 33 + 4, 2 ** 40]) expect((aimed.initialSequence(us) - first) | 0).toBe((us / 4) | 0);
});

test('a key that goes on derives the same', () => {
  const [before, after] = [secrets(4), secrets(5)];
  after.key = before.key;
  expect(derived(after, KEY, 80, 4000)).toEqual(derived(before, KEY, 80, 4000));
});

test('allocates nothing', () => {
  const from = secrets(6);
  let all = 0;
  const bytes = heapPerCall(1, (i) => {
    const aimed = from.aim(KEY, 80, i & 0xffff);
    all = (all + aimed.place() + aimed.tsOffset() + aimed.initialSequence(i * 4) + aimed.cookieHash(1, i)) | 0;
  });
  expect([bytes < 1, Number.isInteger(all)]).toEqual([true, true]);
});
