import type { DropReason, Flow, OptionLevel, Skb, SockCommon } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import type { DatagramProtocol } from '@softnet/inet';
import { gather, pull, SkbReader, sumOf } from '@softnet/skb';
import { addSums, checksumOf, INTACT, ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, pseudoHeaderSum, srcPort } from '@softnet/wire';
import { CHECKSUM, COVERAGE, coveredBytes, HEADER_BYTES, PROTOCOL } from './wire.ts';

/** UDPLITE_SEND_CSCOV and UDPLITE_RECV_CSCOV: bytes that are covered, or must be, the header's among them; 0: all. */
const SEND = 10;
const RECEIVE = 11;

/** Under which packets are dropped. */
export type LiteReasons = Readonly<Record<'malformed' | 'checksum' | 'coverage', DropReason>>;

/** What UDP-Lite is beside UDP. The sockets are the library's; its options are a level of its own, SOL_UDPLITE. */
export class LiteProtocol implements DatagramProtocol, OptionLevel {
  readonly name = 'udplite';
  readonly headerBytes = HEADER_BYTES;
  readonly peerPorts = true;
  readonly level = PROTOCOL;
  readonly #reasons: LiteReasons;
  /** Send's and receive's, of sockets that have set one. */
  readonly #coverages = new WeakMap<SockCommon, Int32Array>();
  readonly #reader = new SkbReader();

  constructor(reasons: LiteReasons) {
    this.#reasons = reasons;
  }
  number(): number {
    return PROTOCOL;
  }
  check(): number {
    return 0;
  }
  write(skb: Skb, sock: SockCommon, flow: Flow): void {
    const { view } = skb.memory;
    const wanted = this.#wanted(sock, SEND);
    const covered = wanted > skb.len ? 0 : wanted;
    view.setUint32(skb.data, (flow.srcPort << 16) | flow.dstPort);
    view.setUint16(skb.data + COVERAGE, covered);
    view.setUint16(skb.data + CHECKSUM, 0);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    // §3.2: the pseudo-header's length is IP's, whatever is covered.
    const pseudo = pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, PROTOCOL, skb.len);
    view.setUint16(skb.data + CHECKSUM, checksumOf(this.#sum(skb, pseudo, covered || skb.len)) || 0xffff);
  }
  read(skb: Skb, sock: SockCommon): boolean {
    const fault = this.#fault(skb, sock);
    if (fault === null) pull(skb, HEADER_BYTES);
    else skb.memory.pool.drop(skb, fault);
    return fault === null;
  }
  remotePort(skb: Skb): number {
    return srcPort(skb.memory.view, skb.transport);
  }
  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name !== SEND && name !== RECEIVE) return -ERRNO.ENOPROTOOPT;
    if (value.length < 4) return -ERRNO.EINVAL;
    const wanted = new DataView(value.buffer, value.byteOffset).getInt32(0, true);
    const both = this.#coverages.get(sock) ?? new Int32Array(2);
    both[name - SEND] = wanted === 0 ? 0 : Math.min(Math.max(wanted, HEADER_BYTES), 0xffff);
    this.#coverages.set(sock, both);
    return 0;
  }
  get(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name !== SEND && name !== RECEIVE) return -ERRNO.ENOPROTOOPT;
    new DataView(value.buffer, value.byteOffset).setInt32(0, this.#wanted(sock, name), true);
    return 4;
  }
  closed(sock: SockCommon): void {
    this.#coverages.delete(sock);
  }
  #fault(skb: Skb, sock: SockCommon): DropReason | null {
    const { view } = skb.memory;
    const covered = gather(skb, HEADER_BYTES) ? coveredBytes(view.getUint16(skb.data + COVERAGE), skb.len) : 0;
    if (covered === 0 || view.getUint16(skb.data + CHECKSUM) === 0) return this.#reasons.malformed;
    const pseudoSum = view.getUint8(skb.network) >>> 4 === 4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum;
    const sum = this.#sum(skb, pseudoSum(view, skb.network, PROTOCOL, skb.len), covered);
    if (sum !== INTACT) return this.#reasons.checksum;
    return covered < Math.min(this.#wanted(sock, RECEIVE), skb.len) ? this.#reasons.coverage : null;
  }
  /** Of the pseudo-header and what is covered, wherever that lies. */
  #sum(skb: Skb, pseudoSum: number, covered: number): number {
    this.#reader.open(skb, 0, covered);
    return addSums(pseudoSum, sumOf(this.#reader));
  }
  #wanted(sock: SockCommon, option: number): number {
    return this.#coverages.get(sock)?.[option - SEND] ?? 0;
  }
}
