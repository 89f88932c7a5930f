import { SKB_TYPE } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import type { ComingSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld } from '../testing/handshake-world.ts';

const { SYN, ACK, RST, FIN, PSH } = TCP_FLAG;

/** RFC 9293 §3.10.7.1, all combinations of the flags that count. */
test.each(
  Array.from({ length: 16 }, (_, bits) => (bits & 1 ? SYN : 0) | (bits & 2 ? ACK : 0) | (bits & 4 ? RST : 0) | (bits & 8 ? FIN : 0)),
)('what is for nobody, flags %i', (flags) => {
  const world = new HandshakeWorld();
  expect(world.toNobody({ flags, seq: 1000, ack: 77, lenBytes: 10 })).toBe('tcp.no-port');
  const len = 10 + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  if (flags & RST) expect(world.take()).toEqual([]);
  else if (flags & ACK) expect(world.take()).toMatchObject([{ flags: RST, seq: 77, ack: 0, window: 0, stamps: null, syn: null }]);
  else expect(world.take()).toMatchObject([{ flags: RST | ACK, seq: 0, ack: 1000 + len }]);
});

test.each([
  ['to many on the link', { type: SKB_TYPE.BROADCAST }],
  ['to a group on the link', { type: SKB_TYPE.MULTICAST }],
  ['from a group', { remote3: 0xe0000001 | 0 }],
  ['from nobody', { remote3: 0 }],
] as [string, Partial<ComingSegment>][])('nobody is answered about what came %s', (_, more) => {
  const world = new HandshakeWorld();
  world.toNobody({ flags: PSH | ACK, ...more });
  expect(world.take()).toEqual([]);
});
