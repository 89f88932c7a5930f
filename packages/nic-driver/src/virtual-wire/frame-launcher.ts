import type { DropReason, NetDevice, Port, Skb, SkbPool } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, SKB_FLAG, SKB_TYPE } from '@softnet/contract';
import { finishChecksum, orphan, passOn, SkbReader, scrub } from '@softnet/skb';
import { insertVlanTag, VLAN_TAG_BYTES } from '@softnet/wire';
import { FrameCopier } from '../driver/copy-frame.ts';
import type { CableEnd, CableLine, CablePort } from './cable.ts';
import { flightUs } from './line-pace.ts';
import { copyMarks, isBurst } from './offloads.ts';

/** Why frames do not arrive. */
export interface LaunchReasons {
  readonly noCarrier: DropReason;
  readonly lost: DropReason;
  readonly tooLong: DropReason;
  readonly noMemory: DropReason;
  readonly burst: DropReason;
  readonly unfinished: DropReason;
}

/** Does to frames what cables do to them. One for a module. */
export class FrameLauncher {
  readonly #pool: Port<SkbPool>;
  readonly #reasons: LaunchReasons;
  readonly #copier = new FrameCopier();
  readonly #reader = new SkbReader();
  /** From this kernel's clock to the other's, µs: within one World nearly nothing. */
  #aheadUs = 0;
  /** May what this device's card would do to frames (cut, sum) be left undone? */
  #whole = false;

  constructor(pool: Port<SkbPool>, reasons: LaunchReasons) {
    this.#pool = pool;
    this.#reasons = reasons;
  }

  /** A batch begins: `nowUs` is this kernel's time. */
  begin(end: CableEnd, nowUs: number): void {
    const { port } = end.peer;
    this.#aheadUs = port === null ? 0 : port.readUs() - nowUs;
    this.#whole = end.passesBursts;
  }

  /** Takes a frame that leaves `end` at `departUs`, and lets it fly, once, twice, or not at all. */
  launch(end: CableEnd, skb: Skb, departUs: number): void {
    const { cable, line, peer } = end;
    const { settings, random, counts } = line;
    const { port } = peer;
    counts.frames++;
    if (port === null || !cable.carrier) {
      drop(end, skb, this.#reasons.noCarrier);
      return;
    }
    const fault = this.#fault(skb, port.device);
    if (fault !== null) {
      drop(end, skb, fault);
      return;
    }
    if (random.happens(line.loss)) {
      counts.lost++;
      lose(end, skb, this.#reasons.lost);
      return;
    }
    if (!this.#finish(skb)) {
      drop(end, skb, this.#reasons.unfinished);
      return;
    }
    const arriving = this.#received(line, port, skb);
    if (arriving === null) {
      port.device.stats.rxMissed++;
      drop(end, skb, this.#reasons.noMemory);
      return;
    }
    if (arriving !== skb) skb.memory.pool.release(skb);
    const atUs = departUs + this.#aheadUs;
    peer.flight.insert(arriving, atUs + flightUs(line));
    if (random.happens(line.duplicate) && end.underWay < settings.queueFrames) this.#again(end, port, arriving, atUs);
  }

  /** Why the other end cannot have it. Null: it can. */
  #fault(skb: Skb, { mtuBytes, link }: NetDevice): DropReason | null {
    const { tooLong, burst } = this.#reasons;
    if (isBurst(skb)) {
      if (!this.#whole) return burst;
      return skb.gsoSize > mtuBytes ? tooLong : null;
    }
    return skb.len > mtuBytes + link.headerBytes + 2 * VLAN_TAG_BYTES ? tooLong : null;
  }

  /** What the card does of what its features promise: VLAN tag, checksum. False: no memory. */
  #finish(skb: Skb): boolean {
    if (skb.vlan !== 0) {
      if (!skb.memory.pool.makeRoom(skb, VLAN_TAG_BYTES, 0)) return false;
      insertVlanTag(skb);
    }
    return this.#whole || skb.checksum !== CHECKSUM.PARTIAL || finishChecksum(skb, this.#reader);
  }

  /** As the other kernel has it: a copy in its memory, or the packet itself where it is the same and need not be split. Null: no memory. */
  #received(line: CableLine, port: CablePort, skb: Skb): Skb | null {
    const corrupt = line.random.happens(line.corrupt);
    const splits = (port.device.features & DEVICE_FEATURE.HEADER_SPLIT) !== 0;
    if (!corrupt && !splits && port.memory === this.#pool) return bare(skb, this.#whole);
    const copy = corrupt ? this.#copier.copy(port.memory.current, skb) : port.copy(skb);
    if (copy === null) return null;
    if (this.#whole) copyMarks(copy, skb);
    if (corrupt) this.#corrupt(line, copy);
    return copy;
  }

  #again({ line, peer }: CableEnd, port: CablePort, first: Skb, atUs: number): void {
    const second = port.copy(first);
    if (second === null) return;
    if (this.#whole) copyMarks(second, first);
    line.counts.duplicated++;
    peer.flight.insert(second, atUs + flightUs(line));
  }

  /** One bit is another. Nobody else shows these bytes. */
  #corrupt({ random, counts }: CableLine, skb: Skb): void {
    const bit = random.below(8 * skb.len);
    if (!this.#reader.open(skb, bit >> 3, 1)) return;
    counts.corrupted++;
    this.#reader.bytes[this.#reader.offset]! ^= 1 << (bit & 7);
  }
}

/** The device could not send it. */
function drop(end: CableEnd, skb: Skb, reason: DropReason): void {
  if (end.port !== null) end.port.device.stats.txDropped++;
  lose(end, skb, reason);
}

function lose({ port }: CableEnd, skb: Skb, reason: DropReason): void {
  // Its end: so that captures know whose it was.
  skb.ifindex = port?.device.ifindex ?? 0;
  skb.memory.pool.drop(skb, reason);
}

/** Within one kernel the packet itself passes, without what its sender knew of it. */
function bare(skb: Skb, whole: boolean): Skb {
  const { checksum, csum, gsoSize, gsoSegs, gsoType, flags } = skb;
  passOn(skb, 'driver');
  orphan(skb);
  skb.dst = null;
  scrub(skb);
  if (whole) {
    if (checksum === CHECKSUM.PARTIAL) {
      skb.checksum = checksum;
      skb.csum = csum;
    }
    skb.gsoSize = gsoSize;
    skb.gsoSegs = gsoSegs;
    skb.gsoType = gsoType;
    skb.flags = flags & SKB_FLAG.FIXED_ID;
  }
  skb.network = -1;
  skb.transport = -1;
  skb.mac = skb.data;
  skb.type = SKB_TYPE.HOST;
  return skb;
}
