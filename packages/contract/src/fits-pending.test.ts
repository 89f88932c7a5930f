import { expect, test } from 'vitest';
import { Datagrams } from './fits-datagram.ts';
import type { Card } from './fits-link.ts';
import { FakeObjects } from './fits-memory.ts';
import { FakeNet, ip } from './fits-stack.ts';
import type { DstUse, Flow, PacketPolicy } from './index.ts';
import {
  ADDRESS_FAMILY,
  DropReason,
  Dst,
  dequeue,
  ERRNO,
  ErrorReport,
  enqueue,
  IP_PROTOCOL,
  IPV4_WORD2,
  isFresh,
  Message,
  ROUTE_TYPE,
  SkbQueue,
  SockAddress,
  TRANSMIT,
} from './index.ts';

const LIMIT = 3;

/** Asks a key manager first: until it answers, flows get a dst that queues (row X1). */
class Asking implements PacketPolicy {
  readonly uses = new FakeObjects<DstUse>('xfrm#1', 'pending');
  readonly full = new DropReason(94, 'xfrm.queue-full', '');
  readonly refused = new DropReason(95, 'xfrm.refused', '');
  pending: Dst | null = null;
  answered = false;
  #way: Dst | null = null;

  stack(dst: Dst, _flow: Flow): Dst {
    if (this.answered) return dst;
    this.#way = dst;
    this.pending ??= this.#queueing(dst);
    return this.pending;
  }
  admit(): boolean {
    return true;
  }
  #queueing(way: Dst): Dst {
    const waiting = new SkbQueue();
    const dst = new Dst(way.generation, (skb) => {
      if (waiting.lenPackets >= LIMIT) {
        skb.memory.pool.drop(skb, this.full);
        return TRANSMIT.DROPPED;
      }
      enqueue(waiting, skb);
      return TRANSMIT.OK;
    });
    dst.pending = waiting;
    dst.uses = this.uses;
    dst.device = way.device;
    dst.headroomBytes = way.headroomBytes;
    dst.mtuBytes = way.mtuBytes;
    return dst;
  }
  /** The answer came: sends what waits, in order, before anything newer. */
  resolve(): void {
    const pending = this.pending!;
    const waiting = pending.pending!;
    this.answered = true;
    for (let skb = dequeue(waiting); skb !== null; skb = dequeue(waiting)) {
      skb.dst = this.#way;
      this.#way!.output(skb);
    }
    this.#over(pending);
  }
  /** No answer: each sender is told. */
  refuse(): void {
    const pending = this.pending!;
    const report = Object.assign(new ErrorReport(), { errno: ERRNO.EHOSTUNREACH });
    for (let skb = dequeue(pending.pending!); skb !== null; skb = dequeue(pending.pending!)) {
      skb.sock?.ops.error(skb.sock, skb, report);
      skb.memory.pool.drop(skb, this.refused);
    }
    this.#over(pending);
  }
  #over(pending: Dst): void {
    pending.obsolete = true;
    pending.pending = null;
    this.pending = null;
  }
}

function boot() {
  const net = new FakeNet();
  const card: Card = net.traffic.plug('eth0');
  net.route.rest = net.route.make(net.traffic.byName('eth0'), ROUTE_TYPE.UNICAST);
  const policy = new Asking();
  net.policy.provide(policy);
  const udp = new Datagrams(net, 'udp', IP_PROTOCOL.UDP);
  const sock = udp.open(ADDRESS_FAMILY.INET, { name: 'program' });
  const address = Object.assign(new SockAddress(), { address2: IPV4_WORD2, address3: ip(0, 0, 7), port: 53 });
  expect(udp.connect(sock, address)).toBe(0);
  const message = new Message();
  const say = (byte: number): number => {
    message.data = Uint8Array.of(byte);
    return udp.send(sock, message);
  };
  return { net, card, policy, udp, sock, say };
}

const said = (card: Card) => card.frames.map((frame) => frame.at(-1));

test('a pending route queues; the answer sends in order, and the next packet goes straight', () => {
  const { net, card, policy, udp, sock, say } = boot();
  for (const byte of [1, 2, 3]) expect(say(byte)).toBe(1);
  expect(card.frames).toHaveLength(0);
  expect([policy.uses.count, net.layer.uses.count, isFresh(sock.dst!)], 'it waits at the policy').toEqual([1, 0, true]);
  expect(say(4), 'the queue is bounded').toBe(-ERRNO.ENOBUFS);

  policy.resolve();
  expect(isFresh(sock.dst!)).toBe(false);
  expect(say(5)).toBe(1);
  expect(said(card)).toEqual([1, 2, 3, 5]);
  expect([policy.uses.count, net.layer.uses.count], 'its hold has moved along').toEqual([0, 1]);
  udp.close(sock);
  expect([net.layer.uses.count, net.pool.live.size, sock.sendQueuedBytes]).toEqual([0, 0, 0]);
});

test('no answer: what waited is dropped, and the sender is told', () => {
  const { net, card, policy, udp, sock, say } = boot();
  say(1);
  say(2);
  policy.refuse();
  expect([card.frames.length, sock.error, net.pool.live.size]).toEqual([0, ERRNO.EHOSTUNREACH, 0]);
  expect(net.pool.drops).toEqual(['xfrm.refused', 'xfrm.refused']);
  udp.close(sock);
});

test('a change of the tables makes every cached dst stale at once, at no cost for each; what is below one counts too', () => {
  const { net, policy, sock, say } = boot();
  policy.answered = true;
  net.route.changed();
  expect(isFresh(sock.dst!)).toBe(false);
  say(1);
  expect(isFresh(sock.dst!)).toBe(true);
  const below = net.route.make(null, ROUTE_TYPE.UNICAST);
  sock.dst!.dst!.child = below;
  expect(isFresh(sock.dst!)).toBe(true);
  below.obsolete = true;
  expect(isFresh(sock.dst!)).toBe(false);
});
