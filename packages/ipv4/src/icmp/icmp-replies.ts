import type { Skb } from '@softnet/contract';
import { Flow, IP_PROTOCOL, SKB_TYPE } from '@softnet/contract';
import { gather, SkbReader, scrub, sumOf, trim } from '@softnet/skb';
import {
  checksumOf,
  ICMPV4_TIMESTAMP_BYTES,
  ICMPV4_TYPE,
  IPV4_HEADER_BYTES,
  icmpChecksum,
  icmpCode,
  ipv4Dst,
  ipv4HeaderBytes,
  ipv4Src,
  ipv4Tos,
  setIcmpChecksum,
  setIcmpTypeAndCode,
  setIcmpv4Times,
  updateChecksum16,
} from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import { OptionBlock, reverseOptions } from '../machine/option-block.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** Of a timestamp: it is not of the day, but of this host (RFC 792). */
const NON_STANDARD = 0x80000000 | 0;

/** What is answered: a request itself becomes the reply (RFC 1122 §3.2.2.6, §3.2.2.8); nothing is copied unless its head is shared, or too narrow. */
export class IcmpReplies {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #reader = new SkbReader();
  readonly #flow = new Flow();
  readonly #block = new OptionBlock();
  /** Of the reply at hand; null: it has no options. */
  #options: OptionBlock | null = null;

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  /** Takes an echo request. */
  echo(skb: Skb): void {
    const { settings, drops, counters } = this.#parts;
    counters.icmpInEchos.value++;
    if (settings.echoIgnoreAll.value || this.#isIgnored(skb)) {
      drop(skb, drops['icmpv4.echo-ignored']);
      return;
    }
    if (!this.#turn(skb, ICMPV4_TYPE.ECHO_REPLY)) return;
    const { view } = skb.memory;
    const at = skb.data;
    const code = icmpCode(view, at);
    setIcmpTypeAndCode(view, at, ICMPV4_TYPE.ECHO_REPLY, code);
    setIcmpChecksum(view, at, updateChecksum16(icmpChecksum(view, at), (ICMPV4_TYPE.ECHO << 8) | code, code));
    counters.icmpOutEchoReps.value++;
    this.#joints.output.send(skb, this.#flow, null, this.#options);
  }

  /** Takes a timestamp request. A kernel knows no date, so its own milliseconds are what it says, marked as such. */
  timestamp(skb: Skb): void {
    const { drops, counters, clock } = this.#parts;
    counters.icmpInTimestamps.value++;
    if (skb.len < ICMPV4_TIMESTAMP_BYTES) {
      drop(skb, drops['icmpv4.truncated']);
      return;
    }
    if (this.#isIgnored(skb)) {
      drop(skb, drops['icmpv4.echo-ignored']);
      return;
    }
    if (!gather(skb, ICMPV4_TIMESTAMP_BYTES)) {
      drop(skb, drops['ipv4.no-memory']);
      return;
    }
    trim(skb, ICMPV4_TIMESTAMP_BYTES);
    if (!this.#turn(skb, ICMPV4_TYPE.TIMESTAMP_REPLY)) return;
    const { view } = skb.memory;
    const at = skb.data;
    const now = (clock.nowMs & 0x7fffffff) | NON_STANDARD;
    setIcmpTypeAndCode(view, at, ICMPV4_TYPE.TIMESTAMP_REPLY, 0);
    setIcmpv4Times(view, at, now, now);
    setIcmpChecksum(view, at, 0);
    this.#reader.open(skb);
    setIcmpChecksum(view, at, checksumOf(sumOf(this.#reader)));
    counters.icmpOutTimestampReps.value++;
    this.#joints.output.send(skb, this.#flow, null, this.#options);
  }

  /** Asked of many. */
  #isIgnored(skb: Skb): boolean {
    const { settings, book } = this.#parts;
    return settings.echoIgnoreBroadcasts.value && !book.isLocal(ipv4Dst(skb.memory.view, skb.network), 0);
  }

  /** Makes of what came what goes back, at its ICMP header, to be written by the caller; `flow` says to whom. False: it was dropped. */
  #turn(skb: Skb, type: number): boolean {
    const { drops, book, route, current } = this.#parts;
    const { view } = skb.memory;
    const from = ipv4Dst(view, skb.network);
    const to = ipv4Src(view, skb.network);
    aim(this.#flow, IP_PROTOCOL.ICMP, book.isLocal(from, 0) ? from : 0, to, ipv4Tos(view, skb.network), 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    if (dst.error !== 0) {
      drop(skb, drops['icmpv4.no-way-back']);
      return false;
    }
    if (!this.#joints.icmp.allows(type, 0, to)) {
      drop(skb, drops['icmpv4.limited']);
      return false;
    }
    this.#options = this.#optionsBack(skb);
    begin(skb);
    skb.dst = dst;
    if (!skb.memory.pool.makeRoom(skb, dst.headroomBytes, dst.tailroomBytes)) {
      drop(skb, drops['ipv4.no-memory']);
      return false;
    }
    skb.transport = skb.data;
    return true;
  }

  /** Routes and timestamps go on being recorded, a source route leads back (RFC 1122 §3.2.2.6). */
  #optionsBack({ memory: { view }, network }: Skb): OptionBlock | null {
    const headerBytes = ipv4HeaderBytes(view, network);
    if (headerBytes === IPV4_HEADER_BYTES || !reverseOptions(view, network, network + headerBytes, this.#block)) return null;
    return this.#block.lenBytes === 0 ? null : this.#block;
  }
}

/** A packet that came in goes out again, as if it had been made here. */
function begin(skb: Skb): void {
  scrub(skb);
  skb.mac = -1;
  skb.network = -1;
  skb.type = SKB_TYPE.OUTGOING;
}
