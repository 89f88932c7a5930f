import type { PortForward } from './port-forward.ts';

/** The port forwards that a session, or its scene, has opened. */
export class ForwardsRunning {
  #all: readonly PortForward[] = [];

  get all(): readonly PortForward[] {
    return this.#all;
  }

  add(forward: PortForward): void {
    this.#all = [...this.#all, forward];
  }

  /** Closes the one of this port, or all. Returns how many. */
  async close(port?: number): Promise<number> {
    const chosen = this.#all.filter((each) => port === undefined || each.port === port);
    this.#all = this.#all.filter((each) => !chosen.includes(each));
    await Promise.all(chosen.map((each) => each.close()));
    return chosen.length;
  }
}
