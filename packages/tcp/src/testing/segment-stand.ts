// What the segment room's tests stand on: a pool, an account, one way to everywhere, and a layer that keeps what it is given.
import type { MemoryAccount, NetworkLayer, Port, Route, Skb, SkbPool } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Counter,
  CurrentOwner,
  DropReason,
  Dst,
  DstUse,
  Flow,
  Generation,
  IP_PROTOCOL,
  IPV4_WORD2,
  NetworkLayer as LayerPoint,
  SkbPool as PoolService,
  Route as RouteService,
  SockCommon,
  TRANSMIT,
} from '@softnet/contract';
import type { PacketPool, SlabSize } from '@softnet/skb';
import { makePool, pull, push, SkbReader } from '@softnet/skb';
import type { TcpFault } from '@softnet/wire';
import { setIpv4Dst, setIpv4HeaderBytes, setIpv4Src, setIpv4Tos, TCP_FAULT } from '@softnet/wire';
import { Connection } from '../machine/connection.ts';
import type { SegmentHost } from '../segment/segment-host.ts';
import { released } from '../segment/skb-charge.ts';

const NO_USES = Object.freeze({ owner: 3, open: true, release: () => {} });

function port<T extends object>(token: unknown, current: T): Port<T> {
  return { token, current, present: true, owner: 2 } as unknown as Port<T>;
}

/** Counts, and refuses nothing but by the limit. */
export class StandAccount {
  readonly name = 'tcp';
  readonly refused: Counter = new Counter('refused');
  bytes = 0;
  peakBytes = 0;
  isShort = false;

  admit(bytes: number, heldBytes: number, limitBytes: number): boolean {
    if (this.isShort || (heldBytes > 0 && heldBytes + bytes > limitBytes)) return false;
    this.add(bytes);
    return true;
  }
  add(bytes: number): void {
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }
  sub(bytes: number): void {
    this.bytes -= bytes;
  }
}

export class SegmentStand implements SegmentHost {
  readonly memory: PacketPool;
  readonly pool: Port<SkbPool>;
  readonly route: Port<Route>;
  readonly layers: SegmentHost['layers'];
  readonly current: CurrentOwner = new CurrentOwner();
  readonly clock = { nowMs: 1000 };
  readonly account: StandAccount & MemoryAccount = new StandAccount();
  readonly settings = { timestamps: true, sack: true, windowScaling: true };
  readonly faults: Readonly<Record<TcpFault, DropReason>>;
  readonly counters = {
    'segments-in': new Counter('segments-in'),
    'segments-out': new Counter('segments-out'),
    'resets-out': new Counter('resets-out'),
  };
  /** The way that everything goes. */
  readonly dst: Dst;
  readonly generation: Generation = new Generation();
  /** What was sent, `data` at the transport header again, and not freed. */
  readonly sent: Skb[] = [];
  /** The flow of what was sent last; how often the way was asked for. */
  readonly flow: Flow = new Flow();
  lookups = 0;
  answer: number = TRANSMIT.OK;
  readonly layer: NetworkLayer;

  constructor(size: SlabSize = { buffers: 64, pages: 64 }, family: number = ADDRESS_FAMILY.INET) {
    this.memory = makePool(size);
    this.pool = port<SkbPool>(PoolService, this.memory);
    this.dst = new Dst(this.generation, () => TRANSMIT.DROPPED);
    Object.assign(this.dst, { family, headroomBytes: 64, tailroomBytes: 0, mtuBytes: 1500, device: {} });
    this.layer = {
      family,
      headerBytes: 20,
      uses: NO_USES,
      send: (skb: Skb, flow: Flow) => this.#sent(skb, flow),
    } as unknown as NetworkLayer;
    this.layers = { token: LayerPoint, items: [this.layer], owners: [3] };
    this.route = port(RouteService, this.#route());
    this.faults = Object.fromEntries(
      Object.entries(TCP_FAULT).map(([name, text], i) => [name, new DropReason(i + 1, name, text)]),
    ) as unknown as Record<TcpFault, DropReason>;
  }

  /** A connection of both ends; sequence numbers begin at `seq`. */
  connection(seq = 0): Connection {
    const sock = new SockCommon({
      ...{ name: 'tcp', type: 1, input: () => {}, error: () => {}, calls: null },
      released: (owner, skb) => released(owner, skb, this.account),
    });
    const conn = new Connection(sock);
    const isV4 = this.layer.family === ADDRESS_FAMILY.INET;
    const local = isV4 ? { local2: IPV4_WORD2, local3: 0x0a000001 } : { local0: 0x20010db8, local3: 1 };
    const remote = isV4 ? { remote2: IPV4_WORD2, remote3: 0x0a000002 } : { remote0: 0x20010db8, remote3: 2 };
    Object.assign(sock, local, remote, { family: this.layer.family, protocol: IP_PROTOCOL.TCP, localPort: 4711, remotePort: 80 });
    const use = new DstUse();
    Object.assign(use, { dst: this.dst, generation: this.generation.value, holdNext: use, holdKind: NO_USES });
    Object.assign(sock, { layer: this.layer, dst: use, ext: conn, hash: 99 });
    return Object.assign(conn, { sndUna: seq, sndNxt: seq, writeSeq: seq, sendBufferBytes: 1 << 20, mssBytes: 1460, segmentBytes: 1460 });
  }

  /** All that was sent is freed, and nothing waits. */
  get isIdle(): boolean {
    for (const skb of this.sent.splice(0)) skb.memory.pool.release(skb);
    return this.memory.idle && this.account.bytes === 0;
  }

  #sent(skb: Skb, flow: Flow): number {
    this.flow.src3 = flow.src3;
    Object.assign(this.flow, flow);
    if (this.answer === TRANSMIT.DROPPED) skb.memory.pool.release(skb);
    else this.sent.push(skb);
    return this.answer;
  }

  #route(): Route {
    const answer = () => {
      this.lookups++;
      return this.dst;
    };
    const fill = (use: DstUse) => {
      Object.assign(use, { dst: this.dst, generation: this.generation.value, holdNext: use, holdKind: NO_USES });
      return answer();
    };
    return { lookup: answer, validate: fill, attach: fill, detach: () => {} } as unknown as Route;
  }
}

/** Puts an IPv4 header before a packet that was sent, and takes it off again, as who receives it sees it. */
export function arrive(skb: Skb, flow: Flow, tos = 0): Skb {
  const at = push(skb, 20);
  const { view } = skb.memory;
  setIpv4HeaderBytes(view, at, 20);
  setIpv4Tos(view, at, tos);
  setIpv4Src(view, at, flow.src3);
  setIpv4Dst(view, at, flow.dst3);
  skb.network = at;
  pull(skb, 20);
  return skb;
}

/** All bytes from `data` on. */
export function bytesOf(skb: Skb, from = 0): Uint8Array {
  const bytes = new Uint8Array(skb.len - from);
  const reader = new SkbReader();
  if (bytes.length > 0 && reader.open(skb, from)) reader.copyOut(bytes);
  return bytes;
}
