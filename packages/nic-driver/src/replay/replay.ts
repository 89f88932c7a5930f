import { ETHERTYPE, NetError } from '@softnet/contract';
import { viewOf } from '@softnet/wire';
import { CompiledFilter } from '../pcap/filter/compiled-filter.ts';
import { PacketFacts } from '../pcap/filter/packet-facts.ts';
import { LINKTYPE } from '../pcap/pcapng-blocks.ts';
import { readCapture } from './read-capture.ts';
import type { CaptureReader } from './recorded-packet.ts';
import { RecordedPacket } from './recorded-packet.ts';
import type { ReplayOptions, ReplayReport } from './replay-options.ts';

/** Packets that begin with their IP header: LINKTYPE_RAW, what some systems write for it, LINKTYPE_IPV4, LINKTYPE_IPV6. */
const IP_LINKTYPES: readonly number[] = Object.freeze([LINKTYPE.RAW, 12, 228, 229]);
/** From the last packet of a round to the first of the next: time goes on, whatever the capture says. */
const ROUND_GAP_US = 1000;
/** A device's timer takes no more. */
const MAX_DELAY_US = 2 ** 47;

/**
 * A capture that is being replayed: which packet comes next, and when. It belongs to its device and outlives generations of the
 * module.
 */
export class Replay {
  readonly options: ReplayOptions;
  readonly bytes: Uint8Array;
  /** The packet at hand, if {@link Replay.advance} said so. */
  readonly packet: RecordedPacket = new RecordedPacket();
  /** Frames whose time came, and packets that were not wanted. */
  frames = 0;
  skipped = 0;
  /** There is a packet at hand that waits for its time. */
  waiting = false;
  over = false;
  /** Kernel time at which this round begins; -1: it has not begun. */
  startUs = -1;
  /** When the device went down last, kernel µs. */
  stoppedUs = 0;
  readonly #reader: CaptureReader;
  readonly #filter: CompiledFilter | null;
  readonly #facts = new PacketFacts();
  readonly #view: DataView;
  /** By number of interface: is it replayed? */
  readonly #chosen: readonly boolean[];
  readonly #speed: number;
  #loopsLeft: number;
  /** Recorded time of the first packet of this round; -1: none yet. Of the last one: for the next round. */
  #firstUs = -1;
  #lastUs = 0;
  #framesBefore = 0;

  /** @param options checked, but for the capture, its interface and the filter. @throws NetError EINVAL. */
  constructor(options: ReplayOptions) {
    this.options = options;
    this.bytes = options.capture;
    this.#view = viewOf(this.bytes);
    this.#filter = options.filter === undefined ? null : new CompiledFilter(options.filter);
    this.#reader = readCapture(this.bytes);
    this.#chosen = chooseInterfaces(this.#reader, options.interface);
    this.#speed = options.speed === undefined ? 1 : options.speed === 'max' ? Number.POSITIVE_INFINITY : options.speed;
    this.#loopsLeft = options.loops ?? 1;
  }

  get report(): ReplayReport {
    return { frames: this.frames, skipped: this.skipped, broken: this.#reader.broken };
  }

  /** Does the packet at hand lack a link header? */
  get isBare(): boolean {
    return this.#linkType !== LINKTYPE.ETHERNET;
  }

  /**
   * Goes on to the next packet, wanted or not. False: `over`.
   * @returns whether there is one; `isWanted` says whether it is to be handed up.
   */
  advance(): boolean {
    if (this.over) return false;
    if (this.#reader.next(this.packet)) return true;
    const isEnd = this.#reader.broken !== null || --this.#loopsLeft <= 0 || this.frames === this.#framesBefore;
    if (isEnd) {
      this.over = true;
      return false;
    }
    this.#reader.rewind();
    this.#framesBefore = this.frames;
    this.startUs = this.#due(this.#lastUs) + ROUND_GAP_US;
    this.#firstUs = -1;
    this.#lastUs = 0;
    return this.#reader.next(this.packet);
  }

  /** Of the packet at hand. */
  isWanted(): boolean {
    const { packet } = this;
    if (!this.#chosen[packet.interfaceId] || packet.dropped || (packet.outbound && this.options.outbound !== true)) return false;
    return this.#filter === null || this.#matches(this.#filter);
  }

  /** Kernel time at which the packet at hand, a wanted one, is to be handed up. */
  dueUs(nowUs: number): number {
    const { timeUs } = this.packet;
    if (this.#firstUs < 0) this.#firstUs = timeUs;
    this.#lastUs = Math.max(this.#lastUs, timeUs);
    return Math.min(this.#due(timeUs), nowUs + MAX_DELAY_US);
  }

  /** At 'max' all of a round is due when it begins. */
  #due(timeUs: number): number {
    return this.startUs + Math.max(0, Math.floor((timeUs - this.#firstUs) / this.#speed));
  }

  get #linkType(): number {
    return this.#reader.interfaces[this.packet.interfaceId]!.linkType;
  }

  #matches(filter: CompiledFilter): boolean {
    const facts = this.#facts;
    const { offset, capturedBytes, lenBytes } = this.packet;
    if (this.isBare) facts.readPacket(this.#view, this.ethertype, offset, offset + capturedBytes);
    else facts.readFrame(this.#view, offset, offset + capturedBytes, 0);
    facts.lenBytes = lenBytes;
    return filter.matches(facts);
  }

  /** Of a packet without link header, by its version. */
  get ethertype(): number {
    const { offset, capturedBytes } = this.packet;
    return capturedBytes > 0 && this.bytes[offset]! >> 4 === 6 ? ETHERTYPE.IPV6 : ETHERTYPE.IPV4;
  }
}

/** Reads the whole file once: which of its interfaces are meant. */
function chooseInterfaces(reader: CaptureReader, wanted: number | string | undefined): boolean[] {
  const packet = new RecordedPacket();
  const packets: number[] = [];
  while (reader.next(packet)) packets[packet.interfaceId] = (packets[packet.interfaceId] ?? 0) + 1;
  const { interfaces, broken } = reader;
  const all = [...interfaces];
  reader.rewind();
  if (all.length === 0) throw refusal(`this capture has no interface${broken === null ? '' : `: ${broken}`}`);
  const usable = all.map(({ linkType }) => linkType === LINKTYPE.ETHERNET || IP_LINKTYPES.includes(linkType));
  const first = Math.max(
    usable.indexOf(true),
    usable.findIndex((is, id) => is && packets[id] !== undefined),
  );
  const chosen = all.map(({ name }, id) => (wanted === undefined ? id === first : wanted === id || wanted === name));
  if (wanted !== undefined && !chosen.includes(true)) {
    throw refusal(
      `interface takes one of ${all.map(({ name }, id) => `${id}${name === '' ? '' : ` (${name})`}`).join(', ')}, got ${wanted}`,
    );
  }
  const replayed = chosen.map((is, id) => is && usable[id]!);
  if (!replayed.includes(true)) {
    const types = all.filter((_, id) => chosen[id] || wanted === undefined).map(({ linkType }) => linkType);
    throw refusal(`it is of link type ${types.join(', ')}; what can be replayed is Ethernet (1) and plain IP (101)`);
  }
  return replayed;
}

function refusal(sentence: string): NetError {
  return new NetError('EINVAL', `replay: ${sentence}`);
}
