import type { Message, SockAddress } from '@softnet/contract';
import { ERRNO, Message as MessageClass } from '@softnet/contract';
import { expect, test } from 'vitest';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { SendQueue } from './send-queue.ts';

const { EAGAIN, ECANCELED, EMSGSIZE, ENOBUFS } = ERRNO;

/** A queue over a socket that has room for so many datagrams. */
function queueOf(room: number) {
  const state = { room, sent: [] as string[], open: true };
  const send = (_sock: unknown, message: Message): number => {
    if (state.room === 0) return -EAGAIN;
    const text = [message.data!, ...(message.more ?? [])].map((part) => Buffer.from(part).toString()).join('');
    if (text === 'long') return -EMSGSIZE;
    state.room--;
    state.sent.push(text);
    return text.length;
  };
  const endpoint = {
    calls: { send },
    sock: {},
    get isOpen() {
      return state.open;
    },
  };
  const host = { message: new MessageClass() };
  const queue = new SendQueue(host as unknown as NodeHost, endpoint as unknown as Endpoint);
  const results: number[] = [];
  const put = (text: string, to: SockAddress | null = null): void => queue.send([Buffer.from(text)], to, (result) => results.push(result));
  return { state, queue, put, results };
}

test('with room nothing waits', () => {
  const { state, queue, put, results } = queueOf(3);
  for (const text of ['a', 'bb', 'long']) put(text);
  expect([state.sent, results, queue.count, queue.bytes]).toEqual([['a', 'bb'], [1, 2, -EMSGSIZE], 0, 0]);
});

test('without, they wait in their order, and go as room comes', () => {
  const { state, queue, put, results } = queueOf(1);
  for (const text of ['a', 'bb', 'ccc']) put(text);
  expect([results, queue.count, queue.bytes]).toEqual([[1], 2, 5]);
  queue.flush();
  expect(queue.count).toBe(2);
  state.room = 1;
  queue.flush();
  expect([state.sent, queue.count, queue.bytes]).toEqual([['a', 'bb'], 1, 3]);
  state.room = 2;
  // Behind who waits, though there would be room.
  put('d');
  queue.flush();
  expect([state.sent, results, queue.count]).toEqual([['a', 'bb', 'ccc', 'd'], [1, 2, 3, 1], 0]);
});

test('closed: who waits hears ECANCELED', () => {
  const { state, queue, put, results } = queueOf(0);
  put('a');
  put('b');
  state.open = false;
  queue.flush();
  queue.cancel();
  expect([results, queue.count, queue.bytes]).toEqual([[-ECANCELED, -ECANCELED], 0, 0]);
});

test('what waits is bounded', () => {
  const { queue, results } = queueOf(0);
  const part = new Uint8Array(60_000);
  for (let i = 0; i < 300; i++) queue.send([part], null, (result) => results.push(result));
  expect(results.length).toBeGreaterThan(0);
  expect([new Set(results), queue.bytes <= 16 << 20, queue.count]).toEqual([new Set([-ENOBUFS]), true, 300 - results.length]);
});
