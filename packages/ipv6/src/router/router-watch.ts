import type { AddressWords, Neighbour } from '@softnet/contract';
import { NEIGHBOUR_STATE } from '@softnet/contract';
import { isSame } from '../machine/address-kind.ts';

/** A router that does not answer is asked again so often (RFC 4191 §3.2). */
const PROBE_MS = 60_000;
const HAS_LINK_ADDRESS = NEIGHBOUR_STATE.REACHABLE | NEIGHBOUR_STATE.STALE | NEIGHBOUR_STATE.DELAY | NEIGHBOUR_STATE.PROBE;

interface Watched {
  readonly router: AddressWords;
  /** Its neighbour was known to be a router. */
  wasRouter: boolean;
  /** Kernel ms of the next question; Infinity: it answers, as far as is known. */
  probeMs: number;
}

/** What neighbours say of routers: which are silent (RFC 4861 §6.3.6), and which are none any more (§7.2.5). As many as there are routers. */
export class RouterWatch {
  #watched: readonly Watched[] = [];
  #lost: readonly AddressWords[] = [];

  /** When somebody is to be asked; Infinity: never. */
  get nextMs(): number {
    if (this.#lost.length > 0) return 0;
    return this.#watched.reduce((least, { probeMs }) => Math.min(least, probeMs), Number.POSITIVE_INFINITY);
  }

  /** It is a default router, or is none any more. */
  follow(routers: readonly AddressWords[]): void {
    const known = (router: AddressWords): Watched | undefined => this.#watched.find((each) => isSame(each.router, ...router));
    this.#watched = routers.map((router) => known(router) ?? { router, wasRouter: true, probeMs: Number.POSITIVE_INFINITY });
  }

  /** Returns whether it is one that is followed, and something is to be done for it. */
  changed({ address0, address1, address2, address3, state, isRouter }: Neighbour, nowMs: number): boolean {
    const one = this.#watched.find(({ router }) => isSame(router, address0, address1, address2, address3));
    if (one === undefined) return false;
    if (state === NEIGHBOUR_STATE.FAILED) {
      if (one.probeMs === Number.POSITIVE_INFINITY) one.probeMs = nowMs + PROBE_MS;
      return true;
    }
    if ((state & HAS_LINK_ADDRESS) === 0) return false;
    one.probeMs = Number.POSITIVE_INFINITY;
    const isLost = one.wasRouter && !isRouter;
    one.wasRouter = isRouter;
    if (isLost) this.#lost = [...this.#lost, one.router];
    return isLost;
  }

  /** Those that have said that they are none, once. */
  takeLost(): readonly AddressWords[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  /** Those to be asked now; again in a minute. */
  takeDue(nowMs: number): readonly AddressWords[] {
    const due = this.#watched.filter(({ probeMs }) => probeMs <= nowMs);
    for (const each of due) each.probeMs = nowMs + PROBE_MS;
    return due.map(({ router }) => router);
  }
}
