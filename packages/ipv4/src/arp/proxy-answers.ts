import type { Clock, NetDevice, Random, Timer } from '@softnet/contract';
import type { ArpSender } from './arp-sender.ts';

/** Answers that may wait: Linux's `proxy_qlen`. */
const LIMIT = 64;

export interface ProxyAnswersHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly arp: ArpSender;
  readonly timer: (fire: () => void) => Timer;
  /** Within how many µs an answer is sent; 0: at once. */
  readonly delayUs: () => number;
}

interface Answer {
  readonly device: NetDevice;
  readonly target: number;
  readonly sender: number;
  readonly link: Uint8Array;
  readonly dueUs: number;
}

/** Answers for others that wait for a random while (RFC 1027 §2.3; Linux's `pneigh_enqueue`). Bounded: beyond it they are sent at once. */
export class ProxyAnswers {
  readonly #host: ProxyAnswersHost;
  readonly #timer: Timer;
  #answers: Answer[] = [];

  constructor(host: ProxyAnswersHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  /** False: there is nothing to wait for, or no place. @param at where the asker's link address stands in `bytes`. */
  delay(device: NetDevice, target: number, sender: number, bytes: Uint8Array, at: number): boolean {
    const { clock, random, delayUs } = this.#host;
    const withinUs = delayUs();
    if (withinUs === 0 || this.#answers.length >= LIMIT) return false;
    const dueUs = clock.nowUs + random.below(withinUs);
    this.#answers.push({ device, target, sender, link: bytes.slice(at, at + device.addressLen), dueUs });
    this.#arm();
    return true;
  }

  close(): void {
    this.#answers = [];
    this.#timer.cancel();
  }

  #timeout(): void {
    const { clock, arp } = this.#host;
    const due = this.#answers.filter(({ dueUs }) => dueUs <= clock.nowUs);
    this.#answers = this.#answers.filter(({ dueUs }) => dueUs > clock.nowUs);
    for (const { device, target, sender, link } of due) if (device.ifindex !== 0) arp.reply(device, target, sender, link, 0);
    this.#arm();
  }

  #arm(): void {
    const dueUs = Math.min(...this.#answers.map((answer) => answer.dueUs));
    if (dueUs !== Number.POSITIVE_INFINITY) this.#timer.armAt(dueUs);
  }
}
