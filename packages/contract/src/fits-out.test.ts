import { expect, test } from 'vitest';
import { Datagrams } from './fits-datagram.ts';
import { ethertypeOf } from './fits-link.ts';
import { dropping, FakeObjects } from './fits-memory.ts';
import { FakeNet, ip, noting } from './fits-stack.ts';
import type {
  DstUse,
  Flow,
  Hook,
  HookChain,
  LightweightTunnel,
  NetDevice,
  NetworkLayer,
  PacketPolicy,
  Skb,
  SkbStep,
  Transform,
} from './index.ts';
import {
  ADDRESS_FAMILY,
  DropReason,
  Dst,
  ETHERTYPE,
  HOOK_FAMILY,
  HOOK_POINT,
  HOOK_PRIORITY,
  IP_PROTOCOL,
  IPV4_WORD2,
  Message,
  ROUTE_TYPE,
  resumeHooks,
  SockAddress,
  TransformState,
  VERDICT,
} from './index.ts';

/** Steals every UDP packet, once, and gives it back when told. */
class Thief implements Hook {
  readonly name = 'thief';
  readonly family = HOOK_FAMILY.IPV4;
  readonly point = HOOK_POINT.OUTPUT;
  readonly priority = HOOK_PRIORITY.MANGLE;
  readonly reason = new DropReason(90, 'thief.drop', '');
  loot: { skb: Skb; chain: HookChain; output: NetDevice | null } | null = null;

  run(skb: Skb, chain: HookChain, _input: NetDevice | null, output: NetDevice | null): number {
    if (skb.memory.bytes[skb.network + 9] !== IP_PROTOCOL.UDP) return VERDICT.ACCEPT;
    this.loot = { skb, chain, output };
    return VERDICT.STOLEN;
  }
  giveBack(): number {
    const { skb, chain, output } = this.loot!;
    this.loot = null;
    return resumeHooks(chain, this, skb, null, output);
  }
}

/** ESP without secrets, as a plugin of xfrm: SPI and sequence number before the payload, four bytes behind it. */
const esp: Transform = {
  name: 'esp',
  protocol: IP_PROTOCOL.ESP,
  begin(state) {
    state.headerBytes = 8;
    state.trailerBytes = 4;
  },
  end() {},
  output(skb, state, inner) {
    skb.data -= 8;
    skb.tail += 4;
    skb.len += 12;
    skb.memory.view.setInt32(skb.data, state.spi);
    skb.memory.bytes[skb.tail - 1] = inner;
    return IP_PROTOCOL.ESP;
  },
  input(skb) {
    return skb.memory.bytes[skb.tail - 1]!;
  },
};

/** xfrm: stacks ESP in transport mode on every dst. */
class Xfrm implements PacketPolicy {
  readonly uses = new FakeObjects<DstUse>('xfrm#1', 'bundle');
  readonly state = new TransformState(esp);
  readonly #lost = new DropReason(91, 'xfrm.lost', '');
  readonly #net: FakeNet;

  constructor(net: FakeNet) {
    this.#net = net;
    this.state.spi = 0x1234;
    esp.begin(this.state, null);
  }
  stack(child: Dst, _flow: Flow): Dst {
    const { headerBytes, trailerBytes } = this.state;
    const dst = Object.assign(new Dst(child.generation, dropping(this.#lost)), { family: child.family, type: child.type });
    dst.device = child.device;
    dst.child = child;
    dst.uses = this.uses;
    dst.ext = this.state;
    dst.headroomBytes = child.headroomBytes + headerBytes;
    dst.tailroomBytes = child.tailroomBytes + trailerBytes;
    dst.mtuBytes = child.mtuBytes - headerBytes - trailerBytes;
    dst.output = noting(this.#net.trace, 'esp', (skb) => this.#output(skb, child, this.#net.layer));
    return dst;
  }
  admit(): boolean {
    return true;
  }
  /** Takes the IP header off, transforms, writes it anew. */
  #output(skb: Skb, child: Dst, layer: NetworkLayer): number {
    const { bytes } = skb.memory;
    const header = bytes.slice(skb.network, skb.network + 20);
    skb.data += 20;
    skb.len -= 20;
    const protocol = this.state.transform.output(skb, this.state, header[9]!, layer);
    skb.data -= 20;
    skb.len += 20;
    skb.network = skb.data;
    bytes.set(header, skb.network);
    bytes[skb.network + 9] = protocol;
    skb.dst = child;
    return layer.reenter(skb);
  }
}

/** MPLS: a label on each packet that leaves by the dst. */
class Mpls implements LightweightTunnel {
  readonly name = 'mpls';
  readonly uses = new FakeObjects<DstUse>('mpls#1', 'dst');
  readonly #net: FakeNet;
  constructor(net: FakeNet) {
    this.#net = net;
  }
  stack(child: Dst, label: number): Dst {
    const dst = Object.assign(new Dst(child.generation, child.input), { family: child.family, type: child.type });
    dst.device = child.device;
    dst.child = child;
    dst.uses = this.uses;
    dst.headroomBytes = child.headroomBytes + 4;
    dst.tailroomBytes = child.tailroomBytes;
    dst.mtuBytes = child.mtuBytes - 4;
    dst.output = child.output;
    const push: SkbStep = (skb) => {
      skb.data -= 4;
      skb.len += 4;
      skb.memory.view.setInt32(skb.data, (label << 12) | 0x140);
      skb.protocol = ETHERTYPE.MPLS;
      skb.dst = child;
      return child.finish(skb);
    };
    dst.finish = noting(this.#net.trace, 'mpls', push);
    return dst;
  }
}

test('a datagram goes out: stolen and given back, through ESP on MPLS on a next hop, to the device', () => {
  const net = new FakeNet();
  const card = net.traffic.plug('eth0');
  const xfrm = new Xfrm(net);
  const mpls = new Mpls(net);
  const thief = new Thief();
  const udp = new Datagrams(net, 'udp', IP_PROTOCOL.UDP);

  const hop = net.route.make(net.traffic.byName('eth0'), ROUTE_TYPE.UNICAST);
  hop.gatewayFamily = ADDRESS_FAMILY.INET;
  hop.gateway3 = ip(0, 0, 254);
  net.route.rest = mpls.stack(hop, 100);
  net.policy.provide(xfrm);
  net.hooks.add(thief);

  const sock = udp.open(ADDRESS_FAMILY.INET, { name: 'program' });
  const to = Object.assign(new SockAddress(), { address2: IPV4_WORD2, address3: ip(9, 9, 9), port: 53 });
  expect(udp.connect(sock, to)).toBe(0);
  expect([xfrm.uses.count, mpls.uses.count, net.layer.uses.count], 'the whole stack is held by the socket').toEqual([1, 1, 1]);
  expect(sock.dst!.dst!.mtuBytes).toBe(1500 - 4 - 12);

  const message = new Message();
  message.data = Uint8Array.of(1, 2, 3);
  expect(udp.send(sock, message)).toBe(3);
  expect(card.frames).toHaveLength(0);
  expect(sock.sendQueuedBytes).toBeGreaterThan(0);
  thief.giveBack();

  expect(net.trace).toEqual([
    ...['route', 'udp send', 'output 17', 'esp', 'output 50', 'postrouting 50', 'mpls', 'neighbour 254', 'qdisc', 'device eth0'],
  ]);
  const [frame] = card.frames;
  expect(frame).toHaveLength(14 + 4 + 20 + 8 + 8 + 3 + 4);
  expect(ethertypeOf(frame!)).toBe(ETHERTYPE.MPLS);
  expect([...frame!.subarray(14 + 4 + 20 + 16, -4)]).toEqual([1, 2, 3]);
  expect(net.pool.live.size).toBe(0);
  expect(sock.sendQueuedBytes, 'its owner was told').toBe(0);

  udp.close(sock);
  expect([xfrm.uses.count, mpls.uses.count, net.layer.uses.count, udp.sockets.count]).toEqual([0, 0, 0, 0]);
});

test('a packet that comes back finds the hooks that are there now, skips none, and is dropped when the layer is gone', () => {
  const net = new FakeNet();
  const card = net.traffic.plug('eth0');
  net.route.rest = net.route.make(net.traffic.byName('eth0'), ROUTE_TYPE.UNICAST);
  const udp = new Datagrams(net, 'udp', IP_PROTOCOL.UDP);
  const sock = udp.open(ADDRESS_FAMILY.INET, { name: 'program' });
  udp.connect(sock, Object.assign(new SockAddress(), { address2: IPV4_WORD2, address3: ip(0, 0, 7), port: 53 }));
  const message = Object.assign(new Message(), { data: Uint8Array.of(9) });
  const thief = new Thief();
  const reason = new DropReason(92, 'filter.drop', '');
  const seen: string[] = [];
  const judge = (name: string, priority: number, verdict: () => number): Hook => ({
    ...{ name, priority, reason, family: HOOK_FAMILY.IPV4, point: HOOK_POINT.OUTPUT },
    run: () => {
      seen.push(name);
      return verdict();
    },
  });
  let asked = 0;
  net.hooks.add(judge('again', HOOK_PRIORITY.FILTER, () => (asked++ === 0 ? VERDICT.REPEAT : VERDICT.ACCEPT)));
  net.hooks.add(judge('early', HOOK_PRIORITY.RAW, () => VERDICT.ACCEPT));
  net.hooks.add(thief);

  udp.send(sock, message);
  net.hooks.remove(thief);
  net.hooks.add(judge('new', HOOK_PRIORITY.MANGLE, () => VERDICT.ACCEPT));
  thief.giveBack();
  expect(seen, 'in order of priority; the thief had gone, a hook at its priority is not skipped').toEqual([
    'early',
    'new',
    'again',
    'again',
  ]);
  expect(card.frames).toHaveLength(1);

  net.hooks.add(thief);
  udp.send(sock, message);
  thief.loot!.chain.open = false;
  thief.giveBack();
  net.hooks.remove(thief);
  net.hooks.add(judge('no', HOOK_PRIORITY.SECURITY, () => VERDICT.DROP));
  expect(udp.send(sock, message)).toBeLessThan(0);
  net.hooks.items = [judge('ever', 0, () => VERDICT.REPEAT)];
  expect(udp.send(sock, message)).toBeLessThan(0);
  expect(net.pool.drops).toEqual(['ipv4.lost', 'filter.drop', 'ipv4.lost']);
  expect(net.pool.live.size).toBe(0);
});
