import { DEVICE_FEATURE, ERRNO, MESSAGE_FLAG } from '@softnet/contract';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { onceWarmCalls } from '@softnet/contract/testing';
import { UDP_OPTION } from '@softnet/udp';
import { BurstHost, FAR, NEAR } from './burst-host.ts';
import { BurstSocket } from './burst-socket.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, shot } from './frames.ts';

const BATCH = 16;
const CHUNK = 30;
/** An object is 16 bytes at least, a number in a box 16. */
const NOTHING = 1;

let host: BurstHost;
beforeAll(async () => {
  host = await BurstHost.boot({ gro: true });
  host.sent.out.keeps = false;
});
beforeEach(() => {
  host.sent.out.count = 0;
});
afterEach(() => expect([host.skbsOut, host.memoryOut]).toEqual([0, 0]));
afterAll(() => host.end());

/** Garbage of a frame, and frames in all. */
function measure(values: Partial<Shot>, after: () => void = () => {}): { bytes: number; frames: number } {
  const arrivals = Array.from({ length: BATCH }, (_, i) => arrivalOf(shot({ lenBytes: 1000, id: i, salt: i, ...values })));
  const { bytes, calls } = onceWarmCalls(NOTHING, CHUNK, () => {
    host.poll(arrivals);
    after();
  });
  return { bytes: bytes / BATCH, frames: calls * BATCH };
}

test.each([
  ['IPv4', {}],
  ['IPv6', { src: NEAR[1], dst: FAR[2] }],
])('frames are merged, forwarded and cut again without a byte of garbage: %s', (_name, values) => {
  const before = host.counter('gro.merged');
  const { bytes, frames } = measure(values);
  expect(bytes).toBeLessThan(NOTHING);
  expect(host.sent.out.count).toBe(frames);
  expect(host.counter('gro.merged') - before).toBe((frames / BATCH) * (BATCH - 1));
});

test('for a device that cuts for itself', () => {
  host.out.features = DEVICE_FEATURE.GSO_UDP | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.SCATTER;
  const { bytes, frames } = measure({});
  expect(bytes).toBeLessThan(NOTHING);
  expect(host.sent.out.count).toBe(frames / BATCH);
  host.out.features = 0;
});

test.each([
  ['one by one', 0, BATCH],
  ['as they come', 1, 1],
])('datagrams are merged and taken from a socket, %s', (_name, wants, calls) => {
  const socket = new BurstSocket(host).bind(7);
  socket.set(UDP_OPTION.GRO, wants);
  const { message } = socket;
  let taken = 0;
  const take = (): void => {
    for (;;) {
      message.flags = MESSAGE_FLAG.SKB;
      if (socket.calls.receive(socket.sock, message) === -ERRNO.EAGAIN) return;
      message.skb!.memory.pool.release(message.skb!);
      taken++;
    }
  };
  const { bytes, frames } = measure({ dst: '10.0.1.1', dstPort: 7 }, take);
  expect(bytes).toBeLessThan(NOTHING);
  expect(taken).toBe((frames / BATCH) * calls);
  socket.close();
});

test('a send is cut into datagrams', () => {
  const socket = new BurstSocket(host).connect(FAR[0], 9);
  socket.set(UDP_OPTION.SEGMENT, 1000);
  const { message, calls, sock } = socket;
  message.data = new Uint8Array(4000);
  message.hasAddress = false;
  const { bytes, calls: sends } = onceWarmCalls(NOTHING, 10 * CHUNK, () => {
    message.flags = 0;
    if (calls.send(sock, message) < 0) throw new Error('not sent');
  });
  expect(bytes).toBeLessThan(NOTHING);
  expect(host.sent.out.count).toBe(4 * sends);
  socket.close();
});
