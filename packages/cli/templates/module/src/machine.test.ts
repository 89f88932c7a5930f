import { describe, expect, test } from 'vitest';
import type { FrozenMachine, SkeletonWants } from './machine.ts';
import { SkeletonMachine } from './machine.ts';
import { parse } from './wire.ts';

const payload = Uint8Array.of(1, 2, 3);

/** A machine whose wishes are written down. */
function makeMachine(from: { readonly id: number } | FrozenMachine = { id: 1 }): { machine: SkeletonMachine; wishes: string[] } {
  const wishes: string[] = [];
  const wants: SkeletonWants = {
    transmit: (bytes) => {
      const { sequence, payload: sent } = parse(bytes)!;
      wishes.push(`send ${sequence} ${sent.join(' ')}`);
    },
    onReply: (bytes) => wishes.push(`reply ${bytes.join(' ')}`),
    onLost: () => wishes.push('lost'),
  };
  return { machine: new SkeletonMachine(from, () => wants), wishes };
}

const reply = (sequence: number) => ({ type: 'reply' as const, connection: 1, sequence, payload });

/** What may happen, each as one step. */
const steps = {
  ping: (machine: SkeletonMachine) => machine.output(payload, 200),
  answer: (machine: SkeletonMachine) => machine.input(reply(1)),
  'answer to another': (machine: SkeletonMachine) => machine.input(reply(9)),
  request: (machine: SkeletonMachine) => machine.input({ ...reply(1), type: 'request' }),
  'too early': (machine: SkeletonMachine) => machine.onTimeout(199),
  timeout: (machine: SkeletonMachine) => machine.onTimeout(200),
  close: (machine: SkeletonMachine) => machine.close(),
};

describe('the machine', () => {
  test.each<{ given: (keyof typeof steps)[]; state: string; wishes: string[] }>([
    { given: [], state: 'idle', wishes: [] },
    { given: ['ping'], state: 'waiting', wishes: ['send 1 1 2 3'] },
    { given: ['ping', 'ping'], state: 'waiting', wishes: ['send 1 1 2 3'] },
    { given: ['ping', 'answer'], state: 'idle', wishes: ['send 1 1 2 3', 'reply 1 2 3'] },
    { given: ['ping', 'answer', 'answer'], state: 'idle', wishes: ['send 1 1 2 3', 'reply 1 2 3'] },
    { given: ['ping', 'answer', 'ping'], state: 'waiting', wishes: ['send 1 1 2 3', 'reply 1 2 3', 'send 2 1 2 3'] },
    { given: ['ping', 'answer to another'], state: 'waiting', wishes: ['send 1 1 2 3'] },
    { given: ['ping', 'request'], state: 'waiting', wishes: ['send 1 1 2 3'] },
    { given: ['ping', 'too early'], state: 'waiting', wishes: ['send 1 1 2 3'] },
    { given: ['ping', 'timeout'], state: 'idle', wishes: ['send 1 1 2 3', 'lost'] },
    { given: ['ping', 'timeout', 'answer'], state: 'idle', wishes: ['send 1 1 2 3', 'lost'] },
    { given: ['timeout'], state: 'idle', wishes: [] },
    { given: ['ping', 'close', 'answer', 'timeout', 'ping'], state: 'closed', wishes: ['send 1 1 2 3'] },
  ])('$given: $state', ({ given, state, wishes: expected }) => {
    const { machine, wishes } = makeMachine();
    for (const step of given) steps[step](machine);
    expect({ state: machine.state, wishes }).toEqual({ state, wishes: expected });
    expect(machine.nextTimeoutUs).toBe(state === 'waiting' ? 200 : Number.POSITIVE_INFINITY);
  });

  test('goes on where another one was frozen', () => {
    const { machine: old } = makeMachine();
    old.output(payload, 200);
    const { machine, wishes } = makeMachine(structuredClone(old.freeze()));
    expect(machine.nextTimeoutUs).toBe(200);
    expect(machine.input(reply(1))).toBe(true);
    machine.output(payload, 300);
    expect(wishes).toEqual(['reply 1 2 3', 'send 2 1 2 3']);
  });
});
