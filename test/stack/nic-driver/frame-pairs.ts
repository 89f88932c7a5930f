import type { NetDevice } from '@softnet/contract';
import { Devices } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Traffic } from '@softnet/testkit';
import { until } from './frame-host.ts';
import type { FrameUser } from './frames.ts';
import { Frames, numbered, numberOf } from './frames.ts';

/** Payloads of one round, bytes. */
const SIZES = [60, 1500, 46, 900] as const;
const ROUNDS = 2;
/** The far end takes its time, so that what is done to a module falls into the midst of an exchange. */
const ANSWER_MS = 3;
const CARRIER_MS = 5000;

/** Two devices that hear one another, of the first kernel and of the second. */
export type Ends = readonly [near: NetDevice, far: NetDevice];

/** A user of each end; the far one sends everything back. */
class FramePair {
  readonly #kernels: readonly [Kernel, Kernel];
  readonly #near: FrameUser;
  readonly #far: FrameUser;
  readonly #answers = new Set<NodeJS.Timeout>();
  #sent = 0;

  constructor(kernels: readonly [Kernel, Kernel], [near, far]: Ends) {
    this.#kernels = kernels;
    this.#near = framesOf(kernels[0]).open(near, `near ${near.name}`);
    this.#far = framesOf(kernels[1]).open(far, `far ${far.name}`);
    this.#far.heard = (payload) => this.#answer(payload);
  }

  /** Devices are up before there is a way between them. Resolves when there is. */
  async begin(): Promise<void> {
    await until('both ends have carrier', () => this.#near.device.carrier && this.#far.device.carrier, CARRIER_MS);
    let heard = false;
    this.#near.heard = () => {
      heard = true;
    };
    // A port of a bridge forwards a moment after its carrier.
    for (let tries = 0; !heard && tries < 200 && this.#near.open; tries++) {
      framesOf(this.#kernels[0]).send(this.#near.device, numbered(0, 60));
      await new Promise((resolve) => setTimeout(resolve, 4 * ANSWER_MS));
    }
    if (!heard) throw new Error(`${this.#near.device.name} does not hear ${this.#far.device.name}`);
  }

  async exchange(): Promise<number> {
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round++) bytes += await this.#round();
    return bytes;
  }

  close(): void {
    for (const answer of this.#answers) clearTimeout(answer);
    this.#answers.clear();
    for (const [at, user] of [this.#near, this.#far].entries()) {
      const kernel = this.#kernels[at]!;
      framesOf(kernel).close(user);
      if (user.device.holdNext !== null) kernel.port(Devices).current.remove(user.device);
    }
  }

  /** All frames at once; each must come back once, as it was, in order. */
  #round(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (!this.#near.open) return reject(new Error('its user was closed'));
      const expected = SIZES.map((lenBytes) => numbered(++this.#sent, lenBytes));
      let bytes = 0;
      this.#near.heard = (got) => {
        // What was sent to find out whether there is a way.
        if (Buffer.compare(got, numbered(0, 60)) === 0) return;
        const next = expected.shift();
        if (next === undefined || Buffer.compare(got, next) !== 0) return reject(new Error(differs(got, next)));
        bytes += got.length;
        if (expected.length === 0) resolve(bytes);
      };
      for (const payload of [...expected]) {
        if (framesOf(this.#kernels[0]).send(this.#near.device, payload) !== 0) return reject(new Error('not sent'));
      }
    });
  }

  #answer(payload: Uint8Array): void {
    const answer = setTimeout(() => {
      this.#answers.delete(answer);
      framesOf(this.#kernels[1]).send(this.#far.device, payload);
    }, ANSWER_MS);
    this.#answers.add(answer);
  }
}

/**
 * Frames over some pairs of devices, there and back: for the compliance kit, in real time.
 * @param join makes the ends of the nth pair, up; when it rejects, nothing of it is left.
 * @param over closes what is not devices.
 */
export async function pairTraffic(kernels: readonly Kernel[], join: (nth: number) => Promise<Ends>, over: () => void): Promise<Traffic> {
  const pairs: FramePair[] = [];
  let joined = 0;
  const open = async (): Promise<void> => {
    const pair = new FramePair(kernels as [Kernel, Kernel], await join(joined++));
    pairs.push(pair);
    await pair.begin();
  };
  const close = async (): Promise<void> => {
    for (const pair of pairs.splice(0)) pair.close();
    over();
  };
  await open().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    exchange: async () => (await Promise.all(pairs.map((pair) => pair.exchange()))).reduce((sum, count) => sum + count, 0),
    openAnother: open,
    close,
  };
}

function differs(got: Uint8Array, sent: Uint8Array | undefined): string {
  const told = (payload: Uint8Array): string => `frame ${numberOf(payload)} of ${payload.length} bytes`;
  return `${sent === undefined ? 'nothing' : told(sent)} was sent, but ${told(got)} came`;
}

function framesOf(kernel: Kernel): Frames {
  return kernel.port(Frames).current;
}
