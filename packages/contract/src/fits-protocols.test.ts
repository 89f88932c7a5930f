import { expect, test } from 'vitest';
import { Datagrams, dissectPorts } from './fits-datagram.ts';
import { FakeObjects } from './fits-memory.ts';
import { FakeNet } from './fits-stack.ts';
import type {
  CongestionControl,
  NetworkLayer,
  Owner,
  Protocol,
  ProtocolDoor,
  AckSample as Sample,
  Skb,
  SocketProtocol,
  SockOps,
} from './index.ts';
import { AckSample, ADDRESS_FAMILY, CongestionState, DropReason, FlowKey, IP_PROTOCOL, NetError, SOCK_TYPE, SockCommon } from './index.ts';

const reno: CongestionControl = {
  name: 'reno',
  uses: new FakeObjects<CongestionState>('reno#1', 'state'),
  wantsEcn: false,
  begin() {},
  end() {},
  increase(state, sample: Sample) {
    if (state.cwnd < state.ssthresh) state.cwnd += sample.acked;
  },
  ssthresh: (state) => Math.max(state.cwnd >> 1, 2),
  undo: (state) => state.priorCwnd,
};

/** What a stream or sequenced protocol needs of the contract: listener, child, control, refusal. The rest is its own. */
class Connections implements SockOps, SocketProtocol, ProtocolDoor {
  readonly name: string;
  readonly family = 0;
  readonly type: number;
  readonly protocol: number;
  readonly number: number;
  readonly usual = true;
  readonly calls = null;
  readonly corridor: Protocol;
  readonly sockets: FakeObjects<SockCommon>;
  readonly isOpening: (skb: Skb) => boolean;
  readonly noSocket: DropReason;
  readonly children: SockCommon[] = [];
  readonly #net: FakeNet;

  constructor(net: FakeNet, name: string, number: number, type: number, isOpening: (skb: Skb) => boolean) {
    this.#net = net;
    this.name = name;
    this.number = number;
    this.protocol = number;
    this.type = type;
    this.isOpening = isOpening;
    this.sockets = new FakeObjects(`${name}#1`, 'connection');
    this.noSocket = new DropReason(64 + number, `${name}.no-socket`, '');
    this.corridor = { name, number, input: null, error: null, dissect: dissectPorts, gro: null, segment: null };
    net.protocols.add(this.corridor);
    net.doors.add(this);
  }
  open(family: number, owner: Owner): SockCommon {
    const sock = new SockCommon(this);
    sock.family = family;
    sock.protocol = this.protocol;
    this.sockets.hold(sock, owner, `${this.name}.open`);
    return sock;
  }
  listen(sock: SockCommon, port: number): void {
    sock.localPort = port;
    this.#net.demux.insert(sock);
  }
  input(sock: SockCommon, skb: Skb): void {
    if (sock.remotePort === 0 && this.isOpening(skb)) this.#accept(sock, skb);
    else if (sock.ext instanceof CongestionState) this.#acked(sock.ext);
    skb.memory.pool.release(skb);
  }
  error(): void {}
  released(): void {}
  unmatched(skb: Skb, layer: NetworkLayer): void {
    this.#net.trace.push(`${this.name} reset by ${layer.name}`);
    skb.memory.pool.drop(skb, this.noSocket);
  }
  #accept(listener: SockCommon, skb: Skb): void {
    const child = this.open(listener.family, listener.holdOwner!);
    const key = new FlowKey();
    this.#net.layer.readKey(skb, key);
    dissectPorts(skb.memory, skb.transport, skb.tail, key);
    Object.assign(child, { localPort: key.localPort, remotePort: key.remotePort, remote2: key.remote2, remote3: key.remote3 });
    const state = new CongestionState(reno);
    reno.uses.derive(state, child, `${this.name}.accept`);
    child.ext = state;
    this.#net.demux.insert(child);
    this.children.push(child);
  }
  #acked(state: CongestionState): void {
    state.control.increase(state, Object.assign(new AckSample(), { acked: 1 }));
  }
}

/** A packet for the host, as far as the layer needs it: ports first, then `third` and `fourth` 32-bit words. */
function arrive(net: FakeNet, protocol: number, port: number, third: number): void {
  const skb = net.pool.alloc(0, 64)!;
  skb.network = skb.data;
  skb.memory.bytes.fill(0, skb.data, skb.data + 40);
  skb.memory.bytes[skb.network + 9] = protocol;
  skb.memory.view.setInt32(skb.network + 16, net.layer.address);
  skb.memory.view.setUint16(skb.data + 20, 4711);
  skb.memory.view.setUint16(skb.data + 22, port);
  skb.memory.view.setInt32(skb.data + 28, third);
  skb.tail = skb.data + 40;
  skb.len = 40;
  net.layer.receive(skb, net.traffic.byIndex(1)!);
}

test('a DCCP beside a TCP and a UDP: same port, own sockets, one congestion control, nothing of theirs touched', () => {
  const net = new FakeNet();
  net.traffic.plug('eth0');
  const udp = new Datagrams(net, 'udp', IP_PROTOCOL.UDP);
  const SYN = 0x02;
  const tcp = new Connections(net, 'tcp', IP_PROTOCOL.TCP, SOCK_TYPE.STREAM, (skb) => (skb.memory.bytes[skb.transport + 11]! & SYN) !== 0);
  const before = [...net.protocols.items];
  // RFC 4340 §5.1: the type is four bits of the ninth byte; 0 is a Request.
  const dccp = new Connections(
    net,
    'dccp',
    IP_PROTOCOL.DCCP,
    SOCK_TYPE.DCCP,
    (skb) => ((skb.memory.bytes[skb.transport + 8]! >> 1) & 15) === 0,
  );
  expect(net.protocols.items.slice(0, 2)).toEqual(before);

  const owner = { name: 'server' };
  const datagrams = udp.open(ADDRESS_FAMILY.INET, owner);
  datagrams.localPort = 5001;
  net.demux.insert(datagrams);
  tcp.listen(tcp.open(ADDRESS_FAMILY.INET, owner), 5001);
  arrive(net, IP_PROTOCOL.DCCP, 5001, 0);
  expect(net.trace, 'no DCCP socket has that port: its own door answers, though TCP and UDP have it').toEqual(['ip', 'dccp reset by ipv4']);

  dccp.listen(dccp.open(ADDRESS_FAMILY.INET, owner), 5001);
  arrive(net, IP_PROTOCOL.DCCP, 5001, 0);
  arrive(net, IP_PROTOCOL.TCP, 5001, SYN);
  arrive(net, IP_PROTOCOL.DCCP, 5001, 3 << 25);
  arrive(net, IP_PROTOCOL.DCCP, 5001, 3 << 25);
  expect([dccp.children.length, tcp.children.length, udp.poll(datagrams) & 1]).toEqual([1, 1, 0]);
  const cwnd = (sock: SockCommon | undefined) => (sock!.ext as CongestionState).cwnd;
  expect([cwnd(dccp.children[0]), cwnd(tcp.children[0])], 'the same control, for DCCP and for TCP').toEqual([12, 10]);
  expect(
    [...reno.uses].map((state) => state.holdOwner),
    'reno is held by the connections',
  ).toEqual([owner, owner]);

  dccp.sockets.open = false;
  net.doors.remove(dccp);
  arrive(net, IP_PROTOCOL.DCCP, 5001, 3 << 25);
  expect(cwnd(dccp.children[0]), 'an established flow goes on while its protocol leaves').toBe(13);
  expect(() => dccp.open(ADDRESS_FAMILY.INET, owner)).toThrow(NetError);
  for (const sock of [...dccp.sockets]) dccp.sockets.release(sock);
  expect([dccp.sockets.count, reno.uses.count, net.pool.live.size]).toEqual([0, 1, 0]);
});
