import type { World } from '@softnet/kernel';

const TURN_US = 200;
/** Turns that a long time takes: timers are met all the same, programs hear of them in larger steps. */
const TURNS = 400;
/** As long as TCP remembers a connection (TIME-WAIT), and a little. */
const REMEMBERED_MS = 61_000;

/** Virtual time that passes by itself while programs of Node's wait for their events. */
export class Passing {
  readonly #world: World;
  readonly #usualUs: number;
  readonly #pump: Promise<void>;
  #runs = true;
  #turnUs: number;

  /** @param turnUs virtual time that passes in a turn of the event loop. */
  constructor(world: World, turnUs = TURN_US) {
    this.#world = world;
    this.#usualUs = turnUs;
    this.#turnUs = turnUs;
    this.#pump = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#runs) await this.#world.advance(this.#turnUs);
  }

  /** Resolves when so much virtual time has passed. */
  async pass(ms: number): Promise<void> {
    const untilUs = this.#world.nowUs + ms * 1000;
    this.#turnUs = Math.max(this.#usualUs, Math.round((ms * 1000) / TURNS));
    while (this.#world.nowUs < untilUs) await new Promise((resolve) => setImmediate(resolve));
    this.#turnUs = this.#usualUs;
  }

  /** The last work, when what TCP remembers of closed connections is forgotten; then time stands. */
  async end<T>(work: () => Promise<T>): Promise<T> {
    await this.pass(REMEMBERED_MS);
    const result = await work();
    this.#runs = false;
    await this.#pump;
    return result;
  }
}
