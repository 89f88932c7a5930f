// A fake of UDP for fits-*.test.ts: 8 bytes of header, of which it uses the ports. Written against the contract alone.

import { FakeObjects } from './fits-memory.ts';
import type { FakeNet } from './fits-stack.ts';
import type {
  ErrorReport,
  FlowKey,
  Message,
  Owner,
  PacketMemory,
  Protocol,
  ProtocolDoor,
  Skb,
  SockAddress,
  SocketCalls,
  SocketProtocol,
  SockOps,
} from './index.ts';
import {
  DropReason,
  DstUse,
  dequeue,
  ERRNO,
  enqueue,
  Flow,
  isFresh,
  POLL,
  REFUSAL,
  SKB_TYPE,
  SkbQueue,
  SOCK_TYPE,
  SockCommon,
  TRANSMIT,
} from './index.ts';

/** Reads ports as UDP, TCP and DCCP have them. */
export function dissectPorts(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
  if (endOffset - offset < 8) return false;
  key.remotePort = memory.view.getUint16(offset);
  key.localPort = memory.view.getUint16(offset + 2);
  return true;
}

/** A datagram protocol of a number of its own. `sock.ext` is its receive queue. */
export class Datagrams implements SockOps, SocketCalls, SocketProtocol, ProtocolDoor {
  readonly name: string;
  readonly family = 0;
  readonly type = SOCK_TYPE.DGRAM;
  readonly protocol: number;
  readonly number: number;
  readonly usual = true;
  readonly calls = this;
  readonly sockets: FakeObjects<SockCommon>;
  readonly corridor: Protocol;
  readonly noSocket: DropReason;
  readonly #net: FakeNet;
  readonly #flow = new Flow();

  constructor(net: FakeNet, name: string, number: number) {
    this.#net = net;
    this.name = name;
    this.protocol = number;
    this.number = number;
    this.sockets = new FakeObjects(`${name}#1`, 'socket');
    this.noSocket = new DropReason(16 + number, `${name}.no-socket`, 'nobody has this port');
    this.corridor = { name, number, input: null, error: null, dissect: dissectPorts, gro: null, segment: null };
    net.protocols.add(this.corridor);
    net.doors.add(this);
  }
  open(family: number, owner: Owner): SockCommon {
    const sock = new SockCommon(this);
    sock.family = family;
    sock.protocol = this.protocol;
    sock.layer = this.#net.layer;
    sock.ext = new SkbQueue();
    this.sockets.hold(sock, owner, `${this.name}.open`);
    return sock;
  }
  // What the stack calls.
  input(sock: SockCommon, skb: Skb): void {
    skb.sock = sock;
    sock.receiveQueuedBytes += skb.truesize;
    skb.data += 8;
    skb.len -= 8;
    enqueue(sock.ext as SkbQueue, skb);
    sock.wake?.(sock);
  }
  error(sock: SockCommon, _skb: Skb | null, report: ErrorReport): void {
    sock.error = report.errno;
    sock.wake?.(sock);
  }
  released(sock: SockCommon, skb: Skb): void {
    if (skb.type === SKB_TYPE.OUTGOING) sock.sendQueuedBytes -= skb.truesize;
    else sock.receiveQueuedBytes -= skb.truesize;
  }
  unmatched(skb: Skb): void {
    this.#net.trace.push(`${this.name} door`);
    this.#net.layer.refuse(skb, REFUSAL.PORT_UNREACHABLE);
    skb.memory.pool.drop(skb, this.noSocket);
  }
  // What users call.
  bind(sock: SockCommon, address: SockAddress): number {
    sock.localPort = address.port;
    this.#net.demux.insert(sock);
    return 0;
  }
  connect(sock: SockCommon, address: SockAddress): number {
    sock.remote2 = address.address2;
    sock.remote3 = address.address3;
    sock.remotePort = address.port;
    sock.dst ??= new DstUse();
    const dst = this.#net.route.attach(sock.dst, this.#flowOf(sock), sock, `${this.name}.connect`);
    return dst.error === 0 ? 0 : -dst.error;
  }
  send(sock: SockCommon, message: Message): number {
    this.#net.trace.push(`${this.name} send`);
    const data = message.data!;
    const flow = this.#flowOf(sock);
    const use = sock.dst!;
    const dst = isFresh(use) ? use.dst! : this.#net.route.validate(use, flow);
    if (flow.src2 === 0) this.#net.layer.chooseSource(flow);
    if (data.length + 28 > dst.mtuBytes) return -ERRNO.EMSGSIZE;
    const skb = this.#net.pool.alloc(dst.headroomBytes + 8, data.length + dst.tailroomBytes);
    if (skb === null) return -ERRNO.ENOBUFS;
    this.#fill(skb, sock, data);
    skb.dst = dst;
    return this.#net.layer.send(skb, flow) === TRANSMIT.DROPPED ? -ERRNO.ENOBUFS : data.length;
  }
  receive(sock: SockCommon, message: Message): number {
    const skb = dequeue(sock.ext as SkbQueue);
    if (skb === null) return -ERRNO.EAGAIN;
    const { len } = skb;
    message.data!.set(skb.memory.bytes.subarray(skb.data, skb.tail));
    skb.memory.pool.release(skb);
    return len;
  }
  queuedBytes(sock: SockCommon, sending: boolean): number {
    return sending ? 0 : ((sock.ext as SkbQueue).first?.len ?? 0);
  }
  poll(sock: SockCommon): number {
    return (sock.ext as SkbQueue).lenPackets > 0 ? POLL.IN | POLL.OUT : POLL.OUT;
  }
  close(sock: SockCommon): void {
    this.#net.demux.remove(sock);
    for (let skb = dequeue(sock.ext as SkbQueue); skb !== null; skb = dequeue(sock.ext as SkbQueue)) skb.memory.pool.release(skb);
    this.sockets.release(sock);
  }
  listen(): number {
    return -ERRNO.EOPNOTSUPP;
  }
  accept(): null {
    return null;
  }
  shutdown(): number {
    return 0;
  }
  setOption(): number {
    return -ERRNO.ENOPROTOOPT;
  }
  getOption(): number {
    return -ERRNO.ENOPROTOOPT;
  }
  #fill(skb: Skb, sock: SockCommon, data: Uint8Array): void {
    skb.memory.bytes.set(data, skb.data);
    skb.tail = skb.data + data.length;
    skb.data -= 8;
    skb.len = data.length + 8;
    skb.transport = skb.data;
    skb.memory.view.setUint16(skb.data, sock.localPort);
    skb.memory.view.setUint16(skb.data + 2, sock.remotePort);
    skb.type = SKB_TYPE.OUTGOING;
    skb.sock = sock;
    sock.sendQueuedBytes += skb.truesize;
  }
  #flowOf(sock: SockCommon): Flow {
    const flow = this.#flow;
    flow.family = sock.family;
    flow.protocol = sock.protocol;
    flow.src2 = sock.local2;
    flow.src3 = sock.local3;
    flow.dst2 = sock.remote2;
    flow.dst3 = sock.remote3;
    flow.srcPort = sock.localPort;
    flow.dstPort = sock.remotePort;
    return flow;
  }
}
