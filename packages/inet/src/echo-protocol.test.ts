import type { NetworkLayer, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, DropReason, Flow, FlowKey, MESSAGE_FLAG, Message } from '@softnet/contract';
import { copyIn, makePool, pull, push, put } from '@softnet/skb';
import { emitIcmpv4, emitIcmpv6, pseudoHeaderSum } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dissectEcho, EchoProtocol } from './echo-protocol.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const pool = makePool();
const reasons = { truncated: new DropReason(1, 'truncated', ''), checksum: new DropReason(2, 'checksum', '') };
const sock = { localPort: 0x1234 } as SockCommon;
const layer = {} as NetworkLayer;

function message(...parts: readonly Uint8Array[]): Message {
  const made = new Message();
  made.data = parts[0] ?? null;
  made.more = parts.slice(1);
  return made;
}

describe('what may be sent', () => {
  const v4 = new EchoProtocol('ping', INET, reasons);
  const v6 = new EchoProtocol('ping6', INET6, reasons);

  test('is an echo request, wherever its first bytes lie', () => {
    const request = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0);
    expect(v4.check(sock, 8, message(request))).toBe(0);
    expect(v4.check(sock, 8, message(request.subarray(0, 1), new Uint8Array(0), request.subarray(1)))).toBe(0);
    expect(v4.check(sock, 8, message(request.subarray(0, 1), Uint8Array.of(1)))).toBe(-22);
    expect(v4.check(sock, 7, message(request))).toBe(-22);
    expect(v4.check(sock, 8, message(Uint8Array.of(0, 0)))).toBe(-22);
    expect(v4.check(sock, 8, message(Uint8Array.of(128, 0)))).toBe(-22);
    expect(v6.check(sock, 8, message(Uint8Array.of(128, 0)))).toBe(0);
    expect([v4.number(INET), v4.number(INET6), v4.remotePort()]).toEqual([1, 58, 0]);
  });

  test('may be a packet of the user, on pages', () => {
    const skb = pool.alloc(0, 0)!;
    skb.end = skb.tail;
    copyIn(skb, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 9));
    const made = new Message();
    made.flags = MESSAGE_FLAG.SKB;
    expect(v4.check(sock, 8, made)).toBe(-22);
    made.skb = skb;
    expect(v4.check(sock, 8, made)).toBe(0);
    pool.release(skb);
  });
});

test.each([INET, INET6])('family %i: identifier and checksum are ours, and such a packet is read', (family) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(0xffff), (data, sequence) => {
      const echo = new EchoProtocol('ping', family, reasons);
      const flow = new Flow();
      Object.assign(flow, { src0: 0xfd00 << 16, src3: 1, dst0: 0xfd00 << 16, dst3: 2 });
      const skb = pool.alloc(64, 100)!;
      const type = family === INET ? 8 : 128;
      copyIn(skb, Uint8Array.of(type, 0, 9, 9, 9, 9, sequence >> 8, sequence & 0xff));
      copyIn(skb, data);
      echo.write(skb, sock, flow, layer);
      const sum = pseudoHeaderSum(flow.src0, 0, 0, 1, flow.dst0, 0, 0, 2, 58, 8 + data.length);
      const value = { type, code: 0, rest: (0x1234 << 16) | sequence, payload: data };
      const expected = family === INET ? emitIcmpv4(value) : emitIcmpv6(value, sum);
      expect(skb.memory.bytes.slice(skb.data, skb.data + 8)).toEqual(expected.subarray(0, 8));
      if (family === INET6) {
        const at = push(skb, 40);
        skb.memory.view.setInt32(at + 8, flow.src0);
        skb.memory.bytes.fill(0, at + 12, at + 23);
        skb.memory.bytes[at + 23] = 1;
        skb.memory.view.setInt32(at + 24, flow.dst0);
        skb.memory.bytes.fill(0, at + 28, at + 39);
        skb.memory.bytes[at + 39] = 2;
        skb.network = at;
        pull(skb, 40);
      }
      expect(echo.read(skb)).toBe(true);
      skb.memory.bytes[skb.data + 7]! ^= 1;
      const wrong = reasons.checksum.count;
      expect([echo.read(skb), reasons.checksum.count]).toEqual([false, wrong + 1]);
      expect(pool.skbsOut).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('what a device has verified is not summed again; what is too short is dropped', () => {
  const echo = new EchoProtocol('ping', INET, reasons);
  const skb = pool.alloc(0, 20)!;
  put(skb, 8);
  skb.memory.bytes.fill(1, skb.data, skb.tail);
  skb.checksum = CHECKSUM.UNNECESSARY;
  expect(echo.read(skb)).toBe(true);
  pull(skb, 1);
  expect([echo.read(skb), reasons.truncated.count, pool.skbsOut]).toEqual([false, 1, 0]);
});

test('replies are for the port, requests for nobody; turned round, requests are for who sent them', () => {
  const key = new FlowKey();
  const read = (type: number): boolean => {
    const bytes = emitIcmpv4({ type, code: 0, rest: (77 << 16) | 5, payload: new Uint8Array(0) });
    const skb = pool.alloc(0, 20)!;
    copyIn(skb, bytes);
    const isRead = dissectEcho(skb.memory, skb.data, skb.tail, key, 8, 0);
    expect(dissectEcho(skb.memory, skb.data, skb.tail - 1, new FlowKey(), 8, 0)).toBe(false);
    pool.release(skb);
    return isRead;
  };
  expect([read(0), key.localPort, key.remotePort]).toEqual([true, 77, 0]);
  expect([read(8), key.localPort, key.remotePort]).toEqual([true, 0, 77]);
  expect(read(3)).toBe(false);
});
