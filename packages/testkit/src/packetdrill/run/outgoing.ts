import { TCP_FLAG } from '@softnet/wire';
import type { PacketSpec } from '../language/packet-spec.ts';
import { printEvent } from '../language/print-script.ts';
import type { ScriptEvent } from '../language/script.ts';
import type { SentPacket } from '../link/script-link.ts';
import { differences } from '../packets/differences.ts';
import type { Flow } from '../packets/flow.ts';
import type { LivePacket } from '../packets/live-packet.ts';
import { readPacket } from '../packets/read-packet.ts';
import { showLive } from '../packets/show-live.ts';
import type { FlowBook } from './flow-book.ts';
import type { ScriptClock } from './script-clock.ts';
import type { ScriptConfig } from './script-config.ts';
import type { ScriptTarget, TargetLink } from './script-target.ts';
import { LineFailure, seconds } from './verdict.ts';

/** When a packet is expected; nulls: at any time. */
export interface Due {
  readonly startUs: number | null;
  readonly endUs: number | null;
  /** So much later it may be: the tolerance, and more for long waits on real machines. */
  readonly lateUs: number;
}

/** A packet that came as expected. */
export interface HeardPacket {
  readonly shown: string;
  readonly sentUs: number;
}

/** So much longer than the tolerance is waited, to be able to say by how much a packet was late. */
const LONGER_US = 1_000_000;
/** For a packet that may come at any time. */
const ANY_TIME_US = 600_000_000;

/** Waits for the packets that a script expects, and compares. */
export class Outgoing {
  readonly #link: TargetLink;
  readonly #config: ScriptConfig;
  readonly #flows: FlowBook;
  readonly #clock: ScriptClock;
  readonly #stampSlackUs: number;

  constructor({ link, clock, stampSlackUs }: ScriptTarget, config: ScriptConfig, flows: FlowBook) {
    this.#link = link;
    this.#config = config;
    this.#flows = flows;
    this.#clock = clock;
    this.#stampSlackUs = stampSlackUs;
  }

  /** @throws LineFailure for a packet that is missing, early, late, or another. */
  async expect(event: ScriptEvent, spec: PacketSpec, due: Due): Promise<HeardPacket> {
    const sent = await this.#next(event, due);
    let live = this.#read(sent);
    const flow = this.#flows.carrying(live) ?? this.#flows.of(spec);
    learn(flow, live, spec);
    if (!this.#config.strictSegments) live = await this.#aggregated(live, spec, due);
    const shown = `${seconds(this.#clock.scriptUs(sent.timeUs))} ${showLive(live, flow)}`;
    const toleranceUs = due.lateUs + this.#stampSlackUs;
    const found = differences(live, { spec, flow, version: this.#config.wireVersion, toleranceUs });
    const untimely = this.#untimely(this.#clock.scriptUs(sent.timeUs), due);
    if (untimely !== null) found.unshift(untimely);
    if (found.length > 0) throw new LineFailure(event.at.line, `a packet differs: ${found.join('; ')}`, printEvent(event), shown);
    this.#flows.heard(flow, live);
    return { shown, sentUs: this.#clock.scriptUs(sent.timeUs) };
  }

  /** What was sent and no line has asked for, as text. */
  leftovers(count: number): string[] {
    const flow = this.#flows.of({ direction: 'out', outer: [], ip: NOTHING, upper: { kind: 'udp', ports: null, lenBytes: 0 } });
    const shown: string[] = [];
    while (this.#link.sent.length > 0 && shown.length < count) {
      const sent = this.#link.sent.shift()!;
      shown.push(`${seconds(this.#clock.scriptUs(sent.timeUs))} ${showLive(this.#read(sent), flow)}`);
    }
    return shown;
  }

  async #next(event: ScriptEvent, due: Due): Promise<SentPacket> {
    const untilUs = due.endUs === null ? this.#clock.nowUs + ANY_TIME_US : due.endUs + due.lateUs + LONGER_US;
    if (this.#link.sent.length === 0) await this.#clock.until(this.#link.heard(), untilUs);
    const sent = this.#link.sent.shift();
    if (sent !== undefined) return sent;
    const when = due.endUs === null ? `within ${ANY_TIME_US / 1e6} s` : `by ${seconds(due.endUs + due.lateUs)}`;
    throw new LineFailure(event.at.line, `no packet was sent ${when}`, printEvent(event), 'no packet');
  }

  #read(sent: SentPacket): LivePacket {
    return readPacket(sent.bytes, () => this.#link.sent.shift()?.bytes ?? null);
  }

  #untimely(timeUs: number, { startUs, endUs, lateUs }: Due): string | null {
    const { toleranceUs } = this.#config;
    if (startUs !== null && timeUs < startUs - toleranceUs) return `it was sent ${seconds(startUs - timeUs)} early`;
    if (endUs !== null && timeUs > endUs + lateUs) return `it was sent ${seconds(timeUs - endUs)} late`;
    return null;
  }

  /** Segments that follow one another in the place of one that is longer, as the script says it. */
  async #aggregated(first: LivePacket, { upper: spec }: PacketSpec, due: Due): Promise<LivePacket> {
    let whole = first;
    const { sent } = this.#link;
    while (
      spec.kind === 'tcp' &&
      whole.upper.kind === 'tcp' &&
      whole.upper.payload.length > 0 &&
      whole.upper.payload.length < spec.lenBytes
    ) {
      if (sent.length === 0) await this.#clock.until(this.#link.heard(), (due.endUs ?? this.#clock.nowUs) + due.lateUs);
      const next = sent[0] === undefined ? null : readPacket(sent[0].bytes, () => null);
      const joined = next === null ? null : join(whole, next, spec.lenBytes);
      if (joined === null) return whole;
      sent.shift();
      whole = joined;
    }
    return whole;
  }
}

const NOTHING = Object.freeze({ ecn: null, tos: null, ttl: null, flowLabel: null, frags: null });

function join(whole: LivePacket, next: LivePacket, mostBytes: number): LivePacket | null {
  const [a, b] = [whole.upper, next.upper];
  if (a.kind !== 'tcp' || b.kind !== 'tcp' || a.srcPort !== b.srcPort || a.dstPort !== b.dstPort) return null;
  const lenBytes = a.payload.length + b.payload.length;
  const follows = ((a.seq + a.payload.length) | 0) === (b.seq | 0) && a.ack === b.ack && b.payload.length > 0;
  if (!follows || lenBytes > mostBytes) return null;
  const payload = new Uint8Array(lenBytes);
  payload.set(a.payload);
  payload.set(b.payload, a.payload.length);
  return { ...whole, upper: { ...b, seq: a.seq, flags: a.flags | b.flags, payload } };
}

/** The kernel's first SYN says how its sequence numbers and the script's belong together. */
function learn(flow: Flow, { upper }: LivePacket, { upper: spec }: PacketSpec): void {
  if (upper.kind !== 'tcp' || spec.kind !== 'tcp') return;
  if ((upper.flags & TCP_FLAG.SYN) === 0 || flow.sawLocalSyn) return;
  flow.sawLocalSyn = true;
  flow.localBase = (upper.seq - spec.seq) | 0;
}
