import type { Random } from '@softnet/contract';
import { FlowKey } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { FlowSecrets } from './flow-secrets.ts';
import { Listener } from './listener.ts';
import { countRetry, hasAnswered, mayAnswer, Request, retriesOf, SAID } from './request.ts';
import { RequestTable } from './request-table.ts';

const random = { u32: () => 0x9e3779b9 } as Random;

function keyOf(remote: number, port: number, ifindex: number): FlowKey {
  return Object.assign(new FlowKey(), { local3: 1, remote3: remote, localPort: 80, remotePort: port, ifindex });
}

function nameOf({ remote3, remotePort, ifindex }: FlowKey): string {
  return `${remote3}:${remotePort}%${ifindex}`;
}

test('holds what was added, and finds each by its ends; beside a Map', () => {
  const end = fc.record({ remote: fc.nat(30), port: fc.nat(40), ifindex: fc.constantFrom(1, 2), adds: fc.boolean() });
  fc.assert(
    fc.property(fc.array(end, { maxLength: 300 }), (steps) => {
      const table = new RequestTable(new FlowSecrets(random));
      const listeners = [new Listener({} as Connection), new Listener({} as Connection)] as const;
      const model = new Map<string, Request>();
      for (const { remote, port, ifindex, adds } of steps) {
        const key = keyOf(remote, port, ifindex);
        const found = table.find(key);
        expect(found).toBe(model.get(nameOf(key)) ?? null);
        if (found !== null) {
          if (adds) continue;
          table.remove(found);
          model.delete(nameOf(key));
        } else if (adds) {
          const request = table.make();
          Object.assign(request, {
            local3: 1,
            remote3: remote,
            ports: (80 << 16) | port,
            ifindex,
            listener: listeners[port & 1]!,
            said: 0,
          });
          table.add(request);
          model.set(nameOf(key), request);
        }
        expect(table.count).toBe(model.size);
      }
      for (const listener of listeners) {
        const own = [...model.values()].filter((each) => each.listener === listener);
        expect(new Set(table.of(listener))).toEqual(new Set(own));
        expect([listener.requests, listener.young]).toEqual([own.length, own.length]);
      }
    }),
  );
});

test('records are used again', () => {
  const table = new RequestTable(new FlowSecrets(random));
  const listener = new Listener({} as Connection);
  const seen = new Set<Request>();
  for (let i = 0; i < 100; i++) {
    const request = table.make();
    seen.add(request);
    request.listener = listener;
    table.add(request);
    table.remove(request);
  }
  expect([seen.size, table.count, listener.requests]).toEqual([1, 0, 0]);
});

test('what shares an integer does not touch each other', () => {
  const request = new Request();
  const options = SAID.TIMESTAMPS | SAID.ACKED | (14 << SAID.SND_SHIFT_AT) | (9 << SAID.RCV_SHIFT_AT);
  request.said = options;
  for (let i = 0; i < 300; i++) countRetry(request);
  expect([retriesOf(request), hasAnswered(request)]).toEqual([255, false]);
  expect(mayAnswer(request, -1, 500)).toBe(true);
  expect([retriesOf(request), hasAnswered(request), request.said & 0xfff]).toEqual([255, true, options]);
});

test('answers are 500 ms apart, to a tick of their clock, wherever that is', () => {
  for (const startMs of [0, 1000, 0x7fffff00, -1, 524_287]) {
    const request = new Request();
    expect(mayAnswer(request, startMs, 500)).toBe(true);
    expect(mayAnswer(request, startMs, 0)).toBe(true);
    expect(mayAnswer(request, (startMs + 250) | 0, 500)).toBe(false);
    expect(mayAnswer(request, (startMs + 512) | 0, 500)).toBe(true);
  }
});
