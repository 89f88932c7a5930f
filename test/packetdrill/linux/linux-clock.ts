import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptClock, SentPacket, TargetLink } from '@softnet/testkit/packetdrill';
import type { LinuxHost } from './linux-host.ts';

/** What is due at a moment has happened so much later. */
const SETTLES_MS = 3;
/** ICMPv6 types of routers, neighbours and groups: no script's business. */
const NEIGHBOURHOOD = [130, 131, 132, 133, 134, 135, 136, 137, 143];

/** Real time, and the packets that come with it. */
export class LinuxClock implements ScriptClock {
  readonly #host: LinuxHost;
  readonly #version: 4 | 6;
  readonly #startUs: number;
  /** Its monotonic clock is so much ahead of ours. */
  readonly #aheadUs: number;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  readonly link: TargetLink;
  #hear: (() => void) | null = null;

  constructor(host: LinuxHost, version: 4 | 6) {
    this.#host = host;
    this.#version = version;
    const sent: SentPacket[] = [];
    this.link = {
      sent,
      heard: () =>
        new Promise((resolve) => {
          this.#hear = resolve;
        }),
      inject: (bytes) => host.ask('inject', Buffer.from(bytes).toString('hex')),
    };
    host.ask('heard');
    const before = monotonicUs();
    const there = host.ask('now') as number;
    this.#startUs = monotonicUs();
    this.#aheadUs = there - Math.round((before + this.#startUs) / 2);
  }

  get nowUs(): number {
    return monotonicUs() - this.#startUs;
  }

  scriptUs(kernelUs: number): number {
    return kernelUs - this.#aheadUs - this.#startUs;
  }

  /** When a packet was sent, and when an event is made: the next is as late as this one. */
  happened(us: number): number {
    return us;
  }

  async advanceTo(us: number): Promise<void> {
    if (us - this.nowUs <= 0) await sleep(SETTLES_MS);
    for (let left = us - this.nowUs; left > 0; left = us - this.nowUs) {
      // The last millisecond is waited for awake: timers of programs are late by one.
      if (left > 1500) await sleep(Math.min((left - 1000) / 1000, 20));
      if (this.#waiting.size > 0) this.#look();
    }
    this.#look();
  }

  async until(promise: Promise<unknown>, us: number): Promise<void> {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    for (;;) {
      this.#look();
      await sleep(1);
      if (settled || this.nowUs > us) return;
    }
  }

  /** What a call that blocks answers, once it does. */
  ended(number: number): Promise<unknown> {
    return new Promise((resolve) => this.#waiting.set(number, resolve));
  }

  #look(): void {
    for (const [data, timeUs] of this.#host.ask('heard') as readonly (readonly [string, number])[]) {
      const bytes = Uint8Array.from(Buffer.from(data, 'hex'));
      if (this.#isOfScript(bytes)) this.link.sent.push({ bytes, timeUs });
    }
    for (const [number, resolve] of this.#waiting) {
      const answer = this.#host.ask('ended', number) as [unknown, number] | null;
      if (answer === null) continue;
      this.#waiting.delete(number);
      resolve(answer[0]);
    }
    if (this.link.sent.length === 0) return;
    this.#hear?.();
    this.#hear = null;
  }

  #isOfScript(bytes: Uint8Array): boolean {
    if (bytes[0]! >>> 4 !== this.#version) return false;
    const isHopByHop = this.#version === 6 && bytes[6] === 0;
    return !isHopByHop && !(this.#version === 6 && bytes[6] === 58 && NEIGHBOURHOOD.includes(bytes[40]!));
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
