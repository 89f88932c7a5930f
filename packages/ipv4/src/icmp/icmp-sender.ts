import type { Port, Random, Skb, SkbPool } from '@softnet/contract';
import { ADDRESS_TYPE, ERRNO, ERROR_ORIGIN, ErrorReport, Flow, IP_PROTOCOL, IPV4_WORD2, REFUSAL, SKB_TYPE } from '@softnet/contract';
import { copyIn, finishChecksum, gather, SkbReader, sumOf } from '@softnet/skb';
import {
  checksumOf,
  ICMP_HEADER_BYTES,
  ICMPV4_REDIRECT,
  ICMPV4_TYPE,
  ICMPV4_UNREACHABLE,
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  setIcmpChecksum,
  setIcmpRest,
  setIcmpTypeAndCode,
} from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import { messageOf, readReport } from '../machine/icmp-errors.ts';
import { IcmpLimits } from '../machine/icmp-limits.ts';
import { OptionBlock, reverseOptions } from '../machine/option-block.ts';
import { isAboutError } from '../machine/refusable.ts';
import { LIMITED_BROADCAST } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** An error with all its headers (RFC 1812 §4.3.2.3): as much of the packet as fits is quoted. */
const MAX_ERROR_BYTES = 576;
/** Of an error: internetwork control (RFC 1812 §4.3.2.5), and what the packet had beside the precedence. */
const TOS_CONTROL = 0xc0;
const TOS_BITS = 0x1e;
const SOURCE_ROUTE_FAILED: number = (ICMPV4_TYPE.DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.SOURCE_ROUTE_FAILED;
/** Type of service as routes know it (RFC 1349). */
const SERVICE_BITS = 0x1c;

/** ICMP errors on their way out (RFC 1122 §3.2.2, RFC 1812 §4.3.2): to the sender on the wire, or to the socket that sent. */
export class IcmpSender {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #limits: IcmpLimits;
  readonly #flow = new Flow();
  readonly #report = new ErrorReport();
  readonly #reader = new SkbReader();
  readonly #block = new OptionBlock();
  /** Of the error at hand; null: it has no options. */
  #options: OptionBlock | null = null;

  constructor(parts: Ipv4Parts, joints: Joints, random: Random) {
    this.#parts = parts;
    this.#joints = joints;
    this.#limits = new IcmpLimits(parts.clock, random, parts.settings);
  }

  /** May a message of this kind go to this host now? Then it counts. */
  allows(type: number, code: number, peer: number): boolean {
    if (this.#limits.take(type, code, peer)) return true;
    this.#parts.counters.icmpOutLimited.value++;
    return false;
  }

  /** `NetworkLayer.refuse`; of a packet of our own, its socket is told. */
  refuse(skb: Skb, refusal: number, info: number): void {
    const message = messageOf(refusal);
    if (message < 0 || skb.network < 0) return;
    if (skb.ifindex === 0) this.#tell(skb, message, info);
    else this.#sendError(skb, message, refusal === REFUSAL.TOO_BIG ? info & 0xffff : 0);
  }

  /** @param pointer offset in the header of what is wrong (RFC 792). */
  parameterProblem(skb: Skb, pointer: number): void {
    this.#sendError(skb, ICMPV4_TYPE.PARAMETER_PROBLEM << 8, (pointer << 24) | 0);
  }

  /** Host redirect (RFC 1812 §5.2.7.2): of a packet that this router passes on. */
  redirect(skb: Skb, gateway: number): void {
    if (this.#sendError(skb, (ICMPV4_TYPE.REDIRECT << 8) | ICMPV4_REDIRECT.HOST, gateway)) this.#parts.counters.icmpOutRedirects.value++;
  }

  /** Takes a packet that came in and goes nowhere. Only routers say so (Linux's `ip_error`); of a blackhole nobody does. */
  unroutable(skb: Skb, errno: number): number {
    const { conf, drops } = this.#parts;
    if (conf.value(skb.ifindex, 'forwarding') === 0) return drop(skb, drops['ipv4.not-forwarding']);
    const { NET, HOST, NET_UNREACHABLE_FOR_TOS, HOST_UNREACHABLE_FOR_TOS, ADMINISTRATIVELY_PROHIBITED } = ICMPV4_UNREACHABLE;
    let code = -1;
    if (errno === ERRNO.ENETUNREACH) code = this.#isForTos(skb) ? NET_UNREACHABLE_FOR_TOS : NET;
    else if (errno === ERRNO.EHOSTUNREACH) code = this.#isForTos(skb) ? HOST_UNREACHABLE_FOR_TOS : HOST;
    else if (errno === ERRNO.EACCES) code = ADMINISTRATIVELY_PROHIBITED;
    if (code >= 0) this.#sendError(skb, (ICMPV4_TYPE.DESTINATION_UNREACHABLE << 8) | code, 0);
    return drop(skb, drops['ipv4.no-route']);
  }

  /** There would be a way for another type of service (RFC 1812 §5.2.7.1). */
  #isForTos(skb: Skb): boolean {
    const { route, current } = this.#parts;
    const { view } = skb.memory;
    const { network } = skb;
    if ((ipv4Tos(view, network) & SERVICE_BITS) === 0) return false;
    aim(this.#flow, ipv4Protocol(view, network), ipv4Src(view, network), ipv4Dst(view, network), 0, skb.mark);
    this.#flow.iif = skb.ifindex;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookupInput(this.#flow);
    current.id = caller;
    return dst.error === 0;
  }

  /** @param message type << 8 | code. Returns whether it was sent. */
  #sendError(skb: Skb, message: number, rest: number): boolean {
    const { counters } = this.#parts;
    if (!this.#mayBeRefused(skb) || !this.allows(message >>> 8, message & 0xff, ipv4Src(skb.memory.view, skb.network))) return false;
    // Of packets that were merged, the first is quoted.
    const quoted = skb.gsoSize === 0 ? skb : this.#joints.unmerger.first(skb);
    const error = quoted === null ? null : this.#make(quoted, message, rest);
    if (quoted !== null && quoted !== skb) quoted.memory.pool.release(quoted);
    if (error === null) return false;
    counters.icmpOutErrors.value++;
    this.#joints.output.send(error, this.#flow, null, this.#options);
    return true;
  }

  /** RFC 1122 §3.2.2, RFC 1812 §4.3.2.7: never about errors, later fragments, what was sent to many, or came from no single host. */
  #mayBeRefused(skb: Skb): boolean {
    const { book } = this.#parts;
    const { view } = skb.memory;
    const { network, type, ifindex } = skb;
    if (type !== SKB_TYPE.HOST && type !== SKB_TYPE.LOOPBACK) return false;
    if (ipv4FragmentOffsetBytes(view, network) !== 0) return false;
    const source = book.typeOf(ipv4Src(view, network), 0);
    if (source !== ADDRESS_TYPE.UNICAST && source !== ADDRESS_TYPE.LOCAL) return false;
    const destination = ipv4Dst(view, network);
    const target = destination === LIMITED_BROADCAST ? ADDRESS_TYPE.BROADCAST : book.typeOf(destination, ifindex);
    if (target === ADDRESS_TYPE.BROADCAST || target === ADDRESS_TYPE.MULTICAST) return false;
    return ipv4Protocol(view, network) !== IP_PROTOCOL.ICMP || !isAboutError(skb);
  }

  /** The message, with a route to who is told: `flow` says to whom. Null: no way there, or no memory. */
  #make(skb: Skb, message: number, rest: number): Skb | null {
    const { route, current, pool } = this.#parts;
    // What its sender left to a device, nobody would finish in a quote.
    finishChecksum(skb, this.#reader);
    const { view } = skb.memory;
    const { network } = skb;
    const tos = TOS_CONTROL | (ipv4Tos(view, network) & TOS_BITS);
    aim(this.#flow, IP_PROTOCOL.ICMP, this.#sourceFor(skb), ipv4Src(view, network), tos, 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    if (dst.error !== 0) return null;
    this.#options = this.#optionsBack(skb, message);
    const optionBytes = this.#options === null ? 0 : this.#options.lenBytes;
    const quotedBytes = Math.min(MAX_ERROR_BYTES, dst.mtuBytes) - IPV4_HEADER_BYTES - optionBytes - ICMP_HEADER_BYTES;
    const error = quote(pool, skb, dst.headroomBytes, dst.tailroomBytes, quotedBytes);
    if (error === null) return null;
    const at = error.data;
    setIcmpTypeAndCode(error.memory.view, at, message >>> 8, message & 0xff);
    setIcmpChecksum(error.memory.view, at, 0);
    setIcmpRest(error.memory.view, at, rest);
    this.#reader.open(error);
    setIcmpChecksum(error.memory.view, at, checksumOf(sumOf(this.#reader)));
    error.transport = at;
    error.dst = dst;
    return error;
  }

  /** Who chose the way of a packet is told on the way back, unless that was what was wrong (RFC 1812 §4.3.2.6; Linux's `icmp_send`). */
  #optionsBack({ memory: { view }, network }: Skb, message: number): OptionBlock | null {
    const headerBytes = ipv4HeaderBytes(view, network);
    if (headerBytes === IPV4_HEADER_BYTES || message >>> 8 === ICMPV4_TYPE.PARAMETER_PROBLEM || message === SOURCE_ROUTE_FAILED)
      return null;
    if (!reverseOptions(view, network, network + headerBytes, this.#block)) return null;
    return this.#block.lenBytes === 0 ? null : this.#block;
  }

  /** The address that was spoken to, where it is ours; else 0: that of the way back (RFC 1812 §4.3.2.4), unless a setting wants another. */
  #sourceFor({ memory: { view }, network, ifindex }: Skb): number {
    const { book, settings, traffic } = this.#parts;
    const to = ipv4Dst(view, network);
    if (book.isLocal(to, 0)) return to;
    return settings.icmpFromInbound.value ? book.sourceFor(traffic.current.byIndex(ifindex), ipv4Src(view, network)) : 0;
  }

  /** A packet of this host: who sent it is told without a wire. */
  #tell(skb: Skb, message: number, info: number): void {
    const report = this.#report;
    const { view } = skb.memory;
    if (!readReport(report, message >>> 8, message & 0xff, info, 0)) return;
    const { sock, network, transport } = skb;
    const source = ipv4Src(view, network);
    report.origin = ERROR_ORIGIN.LOCAL;
    report.offender0 = 0;
    report.offender1 = 0;
    report.offender2 = source === 0 ? 0 : IPV4_WORD2;
    report.offender3 = source;
    if (sock === null) {
      this.#tellByHeader(skb, report);
      return;
    }
    const { current } = this.#parts;
    const caller = current.id;
    current.id = sock.holdKind?.owner ?? caller;
    sock.ops.error(sock, transport < 0 ? null : skb, report);
    current.id = caller;
  }

  /** The first piece of one that was cut: its header says whose it was. */
  #tellByHeader(skb: Skb, report: ErrorReport): void {
    const { network, data } = skb;
    if (data !== network || ipv4FragmentOffsetBytes(skb.memory.view, network) !== 0) return;
    const headerBytes = ipv4HeaderBytes(skb.memory.view, network);
    if (!gather(skb, Math.min(skb.len, headerBytes + ICMP_HEADER_BYTES))) return;
    const protocol = ipv4Protocol(skb.memory.view, skb.network);
    skb.data += headerBytes;
    skb.len -= headerBytes;
    skb.transport = skb.data;
    this.#joints.delivery.report(skb, protocol, report);
    skb.data -= headerBytes;
    skb.len += headerBytes;
  }
}

/** A fresh packet: room for the ICMP header, then the beginning of `skb` from its IP header on. Null: memory is out. */
function quote(pool: Port<SkbPool>, skb: Skb, headroomBytes: number, tailroomBytes: number, maxBytes: number): Skb | null {
  const error = pool.current.alloc(headroomBytes, ICMP_HEADER_BYTES + maxBytes + tailroomBytes);
  if (error === null) return null;
  error.tail += ICMP_HEADER_BYTES;
  error.len = ICMP_HEADER_BYTES;
  let left = maxBytes;
  const inHead = Math.min(left, skb.tail - skb.network);
  let copied = copyIn(error, skb.memory.bytes, skb.network, inHead);
  left -= inHead;
  for (let fragment = skb.fragments; copied && left > 0 && fragment !== null; fragment = fragment.next) {
    const taken = Math.min(left, fragment.lenBytes);
    copied = copyIn(error, fragment.memory.bytes, fragment.offset, taken);
    left -= taken;
  }
  if (copied) return error;
  pool.current.release(error);
  return null;
}
