import type {
  Contributions,
  CurrentOwner,
  SocketDemux as Demux,
  DropReason,
  ErrorReport,
  ModuleContext,
  NetworkLayer,
  PacketMemory,
  Port,
  Skb,
  SkbStep,
} from '@softnet/contract';
import { FlowKey, Protocol, ProtocolDoor, RawTap, REFUSAL, SocketDemux, TRANSMIT } from '@softnet/contract';
import { gather } from '@softnet/skb';
import type { Unmerger } from './offload/unmerger.ts';
import { ProtocolTable } from './protocol-table.ts';

/** Of an upper header, what `Protocol.dissect` reads lies within so many bytes; as much is quoted by every ICMP error. */
const DISSECT_BYTES = 8;

/** Under which packets are dropped that nobody takes. */
export interface DeliveryReasons {
  /** No module knows the protocol: its sender is told. */
  readonly noProtocol: DropReason;
  /** The protocol's door is shut, and nothing that exists takes the packet: silence. Also when memory is out. */
  readonly noPorts: DropReason;
}

/**
 * From a network layer to those above it, as `contract/protocol.ts` says: to the socket that the flow table knows, to the
 * protocol's own tables, to its door, and back to the sender. One of a layer; its module requires `one(SocketDemux)`.
 */
export class Delivery {
  readonly #layer: NetworkLayer;
  readonly #reasons: DeliveryReasons;
  readonly #unmerger: Unmerger | null;
  readonly #eachToDoor: SkbStep;
  readonly #current: CurrentOwner;
  readonly #demux: Port<Demux>;
  readonly #protocols: ProtocolTable<Protocol>;
  readonly #doors: ProtocolTable<ProtocolDoor>;
  readonly #raws: Contributions<RawTap>;
  readonly #key = new FlowKey();
  /** Of the merged packet that is taken apart. */
  #unmatchedProtocol = 0;

  /** @param unmerger takes apart what was merged and is nobody's: a door sees, and refuses, what was sent. */
  constructor(ctx: ModuleContext, layer: NetworkLayer, reasons: DeliveryReasons, unmerger: Unmerger | null = null) {
    this.#layer = layer;
    this.#unmerger = unmerger;
    this.#reasons = reasons;
    this.#current = ctx.current;
    this.#demux = ctx.port(SocketDemux);
    this.#protocols = new ProtocolTable(ctx.contributions(Protocol) satisfies Contributions<Protocol>);
    this.#eachToDoor = (skb) => this.#partToDoor(skb);
    this.#doors = new ProtocolTable(ctx.contributions(ProtocolDoor) satisfies Contributions<ProtocolDoor>);
    this.#raws = ctx.contributions(RawTap);
  }

  /** Takes a packet with `data` = `transport`, and `network` at its header. @param protocol 0 to 255. */
  deliver(skb: Skb, protocol: number): void {
    const caller = this.#current.id;
    const isRead = this.#raws.items.length > 0 && this.#toRaw(skb, protocol, caller);
    if (!this.#toExisting(skb, protocol, caller)) {
      // Who reads it raw is all that there is of the protocol: its sender is not told otherwise.
      if (isRead && this.#doors.of(protocol).items.length === 0) skb.memory.pool.release(skb);
      else this.#unmatched(skb, protocol, caller);
    }
    this.#current.id = caller;
  }

  /**
   * An error about a packet of ours goes to whose packet it was. Does not take the skb. False: nobody has sent it, so what it says is
   * not to be believed (RFC 5927 §4).
   * @param skb `network` at the header that the error quotes, `transport` and `data` behind it.
   */
  report(skb: Skb, protocol: number, report: ErrorReport): boolean {
    const { items, owners } = this.#protocols.of(protocol);
    const caller = this.#current.id;
    let taken = false;
    report.refused = false;
    for (let i = 0; i < items.length && !taken; i++) {
      const item = items[i]!;
      this.#current.id = owners[i]!;
      taken = item.dissect !== null && this.#readKey(skb, item) && this.#toSocket(skb, report);
      this.#current.id = owners[i]!;
      if (!taken) taken = item.error?.(skb, this.#layer, report) === true;
    }
    this.#current.id = caller;
    const isRaw = this.#raws.items.length > 0 && this.#reportToRaw(skb, protocol, report, caller);
    return (taken && !report.refused) || isRaw;
  }

  /** Reads ports into a key, for `EthertypeHandler.dissect`. False: no module knows the protocol, or the header is not there. */
  dissect(memory: PacketMemory, protocol: number, offset: number, endOffset: number, key: FlowKey): boolean {
    const { items, owners } = this.#protocols.of(protocol);
    const caller = this.#current.id;
    let isRead = false;
    for (let i = 0; i < items.length && !isRead; i++) {
      this.#current.id = owners[i]!;
      isRead = items[i]!.dissect?.(memory, offset, endOffset, key) === true;
    }
    this.#current.id = caller;
    return isRead;
  }

  #toRaw(skb: Skb, protocol: number, caller: number): boolean {
    const { items, owners } = this.#raws;
    let isRead = false;
    for (let i = 0; i < items.length; i++) {
      this.#current.id = owners[i]!;
      if (items[i]!.copy(skb, protocol, this.#layer)) isRead = true;
    }
    this.#current.id = caller;
    return isRead;
  }

  #reportToRaw(skb: Skb, protocol: number, report: ErrorReport, caller: number): boolean {
    const { items, owners } = this.#raws;
    let isTaken = false;
    for (let i = 0; i < items.length; i++) {
      this.#current.id = owners[i]!;
      if (items[i]!.error(skb, protocol, this.#layer, report)) isTaken = true;
    }
    this.#current.id = caller;
    return isTaken;
  }

  /** True: a socket or a protocol's table took it, or memory is out. */
  #toExisting(skb: Skb, protocol: number, caller: number): boolean {
    const { items, owners } = this.#protocols.of(protocol);
    let isAsked = false;
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      this.#current.id = owners[i]!;
      // Two generations read the same ports: the flow table is asked once.
      if (item.dissect !== null && !isAsked) {
        this.#current.id = caller;
        if (!atHand(skb)) return this.#drop(skb, this.#reasons.noPorts);
        this.#current.id = owners[i]!;
        this.#layer.readKey(skb, this.#key);
        if (item.dissect(skb.memory, skb.transport, skb.tail, this.#key)) {
          isAsked = true;
          this.#current.id = this.#demux.owner;
          if (this.#demux.current.deliver(skb, this.#key)) return true;
          this.#current.id = owners[i]!;
        }
      }
      if (item.input?.(skb, this.#layer) === true) return true;
    }
    this.#current.id = caller;
    return false;
  }

  #unmatched(skb: Skb, protocol: number, caller: number): void {
    if (skb.gsoSize === 0 || this.#unmerger === null) {
      this.#toDoor(skb, protocol, caller);
      return;
    }
    this.#current.id = caller;
    this.#unmatchedProtocol = protocol;
    this.#unmerger.eachAbove(skb, this.#eachToDoor);
  }

  #partToDoor(skb: Skb): number {
    this.#toDoor(skb, this.#unmatchedProtocol, this.#current.id);
    return TRANSMIT.OK;
  }

  #toDoor(skb: Skb, protocol: number, caller: number): void {
    const { items, owners } = this.#doors.of(protocol);
    if (items.length > 0) {
      // Of two generations the newer lets newcomers in.
      this.#current.id = owners[items.length - 1]!;
      items[items.length - 1]!.unmatched(skb, this.#layer);
      return;
    }
    this.#current.id = caller;
    const { noPorts, noProtocol } = this.#reasons;
    if (this.#protocols.of(protocol).items.length > 0) {
      skb.memory.pool.drop(skb, noPorts);
      return;
    }
    this.#layer.refuse(skb, REFUSAL.PROTOCOL_UNREACHABLE, 0);
    skb.memory.pool.drop(skb, noProtocol);
  }

  /** The key of the embedded packet, turned round: it was we who sent it. */
  #readKey(skb: Skb, item: Protocol): boolean {
    const key = this.#key;
    this.#layer.readKey(skb, key);
    if (item.dissect?.(skb.memory, skb.transport, skb.tail, key) !== true) return false;
    const { local0, local1, local2, local3, localPort } = key;
    key.local0 = key.remote0;
    key.local1 = key.remote1;
    key.local2 = key.remote2;
    key.local3 = key.remote3;
    key.localPort = key.remotePort;
    key.remote0 = local0;
    key.remote1 = local1;
    key.remote2 = local2;
    key.remote3 = local3;
    key.remotePort = localPort;
    return true;
  }

  #toSocket(skb: Skb, report: ErrorReport): boolean {
    this.#current.id = this.#demux.owner;
    const sock = this.#demux.current.find(this.#key);
    if (sock === null) return false;
    this.#current.id = sock.holdKind?.owner ?? this.#current.id;
    sock.ops.error(sock, skb, report);
    return true;
  }

  #drop(skb: Skb, reason: DropReason): true {
    skb.memory.pool.drop(skb, reason);
    return true;
  }
}

/** Ports lie in the head, where the upper header is so long. False: memory is out. */
function atHand(skb: Skb): boolean {
  const wanted = Math.min(skb.len, DISSECT_BYTES);
  return skb.tail - skb.data >= wanted || gather(skb, wanted);
}
