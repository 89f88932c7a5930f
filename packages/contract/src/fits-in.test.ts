import { expect, test } from 'vitest';
import { Datagrams } from './fits-datagram.ts';
import { FakeNet, ip } from './fits-stack.ts';
import type { Hook, NetDevice, Protocol, Tap } from './index.ts';
import {
  ADDRESS_FAMILY,
  DropReason,
  ERRNO,
  ErrorReport,
  ETHERTYPE,
  enqueue,
  HOOK_FAMILY,
  HOOK_POINT,
  IP_PROTOCOL,
  Message,
  POLL,
  REFUSAL,
  RxQueue,
  SKB_SLOTS,
  SkbQueue,
  SockAddress,
  VERDICT,
} from './index.ts';

/** A frame as a card brings it: Ethernet, IPv4 and ports. */
function arrive(net: FakeNet, device: NetDevice, protocol: number, fromPort: number, toPort: number, payload: readonly number[]): void {
  const skb = net.pool.alloc(0, 128)!;
  const { bytes, view } = skb.memory;
  view.setUint16(skb.data + 12, ETHERTYPE.IPV4);
  bytes[skb.data + 14 + 9] = protocol;
  view.setInt32(skb.data + 14 + 12, ip(0, 0, 9));
  view.setInt32(skb.data + 14 + 16, net.layer.address);
  view.setUint16(skb.data + 34, fromPort);
  view.setUint16(skb.data + 36, toPort);
  bytes.set(payload, skb.data + 42);
  skb.len = 42 + payload.length;
  skb.tail = skb.data + skb.len;
  const batch = new SkbQueue();
  enqueue(batch, skb);
  net.traffic.receive(new RxQueue(device, 0), batch);
}

function boot() {
  const net = new FakeNet();
  net.traffic.plug('eth0');
  const udp = new Datagrams(net, 'udp', IP_PROTOCOL.UDP);
  const sock = udp.open(ADDRESS_FAMILY.INET, { name: 'server' });
  udp.bind(sock, Object.assign(new SockAddress(), { port: 53 }));
  return { net, udp, sock, device: net.traffic.byName('eth0')! };
}

test('a frame goes in to the socket that it is for; a miss goes to the door, which refuses it', () => {
  const { net, udp, sock, device } = boot();
  let woken = 0;
  sock.wake = () => woken++;
  arrive(net, device, IP_PROTOCOL.UDP, 4711, 53, [7, 8, 9]);
  expect([net.trace, woken, udp.poll(sock) & POLL.IN]).toEqual([['ip'], 1, POLL.IN]);
  expect(sock.receiveQueuedBytes).toBeGreaterThan(0);
  const message = Object.assign(new Message(), { data: new Uint8Array(16) });
  expect(udp.receive(sock, message)).toBe(3);
  expect([...message.data!.subarray(0, 3)]).toEqual([7, 8, 9]);
  expect(sock.receiveQueuedBytes, 'its owner was told').toBe(0);

  arrive(net, device, IP_PROTOCOL.UDP, 4711, 54, [1]);
  expect(net.trace.slice(1)).toEqual(['ip', 'udp door']);
  expect(net.layer.refused).toEqual([REFUSAL.PORT_UNREACHABLE]);
  expect(net.pool.drops).toEqual(['udp.no-socket']);
  expect(net.pool.live.size).toBe(0);
});

test('stage 1: with the door gone a miss is dropped in silence, and the socket still gets its packets', () => {
  const { net, udp, sock, device } = boot();
  net.doors.remove(udp);
  udp.sockets.open = false;
  arrive(net, device, IP_PROTOCOL.UDP, 4711, 54, [1]);
  expect([net.layer.refused, net.pool.drops]).toEqual([[], ['ipv4.lost']]);
  arrive(net, device, IP_PROTOCOL.UDP, 4711, 53, [1]);
  expect(udp.poll(sock) & POLL.IN).toBe(POLL.IN);
  expect(() => udp.open(ADDRESS_FAMILY.INET, { name: 'late' })).toThrow('ESHUTDOWN');
  udp.close(sock);
  expect(net.pool.live.size).toBe(0);
});

test('what a protocol keeps in tables of its own is asked by its corridor: of two generations, both', () => {
  const { net, device } = boot();
  const taken: string[] = [];
  const esp = (name: string, mine: number): Protocol => ({
    ...{ name, number: IP_PROTOCOL.ESP, error: null, dissect: null, gro: null, segment: null },
    input: (skb) => {
      if (skb.memory.view.getUint16(skb.transport) !== mine) return false;
      taken.push(name);
      skb.memory.pool.release(skb);
      return true;
    },
  });
  net.protocols.add(esp('esp#1', 1));
  net.protocols.add(esp('esp#2', 2));
  arrive(net, device, IP_PROTOCOL.ESP, 2, 0, []);
  arrive(net, device, IP_PROTOCOL.ESP, 1, 0, []);
  arrive(net, device, IP_PROTOCOL.ESP, 3, 0, []);
  expect([taken, net.pool.drops, net.pool.live.size]).toEqual([['esp#2', 'esp#1'], ['ipv4.lost'], 0]);
});

test('on the way in: a mark and a slot set by a hook, a QUEUE without listener, a tap by clone, an error to the socket', () => {
  const { net, udp, sock, device } = boot();
  const reason = new DropReason(93, 'hook.drop', '');
  const conntrack = { index: SKB_SLOTS - 1, name: 'conntrack' };
  const entry = { seen: 1 };
  let verdict: number = VERDICT.ACCEPT;
  const hook: Hook = {
    ...{ name: 'conntrack.in', family: HOOK_FAMILY.IPV4, point: HOOK_POINT.PREROUTING, priority: -200, reason },
    run: (skb, _chain, input) => {
      expect(input).toBe(device);
      expect(net.current.id, 'the culprit is known').toBe(1);
      skb.slots ??= new Array<unknown>(SKB_SLOTS).fill(null);
      skb.slots[conntrack.index] = entry;
      skb.mark = 5;
      return verdict;
    },
  };
  const copies: number[] = [];
  const tap: Tap = {
    ethertype: ETHERTYPE.ALL,
    ifindex: 0,
    tap: (skb) => {
      const clone = skb.memory.pool.clone(skb)!;
      copies.push(clone.len);
      clone.memory.pool.release(clone);
    },
  };
  net.hooks.add(hook);
  net.hooks.add({
    ...{ name: 'sees', family: HOOK_FAMILY.IPV4, point: HOOK_POINT.INPUT, priority: 0, reason },
    run: (skb, _chain, input) => {
      expect([skb.slots?.[conntrack.index], skb.mark]).toEqual([entry, 5]);
      tap.tap(skb, input!);
      return VERDICT.ACCEPT;
    },
  });
  arrive(net, device, IP_PROTOCOL.UDP, 4711, 53, [1]);
  expect([copies, net.current.id]).toEqual([[29], 0]);
  verdict = VERDICT.QUEUE;
  arrive(net, device, IP_PROTOCOL.UDP, 4711, 53, [2]);
  expect(net.pool.drops, 'nobody listens to the queue').toEqual(['hook.drop']);

  const report = Object.assign(new ErrorReport(), { errno: ERRNO.ECONNREFUSED });
  sock.ops.error(sock, null, report);
  expect(sock.error).toBe(ERRNO.ECONNREFUSED);
  udp.close(sock);
  expect(net.pool.live.size).toBe(0);
});
