import type { AddressWords, Neighbour } from '@softnet/contract';
import { NEIGHBOUR_STATE } from '@softnet/contract';
import { isSame } from '../machine/address-kind.ts';

/** A router that does not answer is asked again so often (RFC 4191 §3.2). */
const PROBE_MS = 60_000;
/** As long as one waits for a neighbour's answer in all (RFC 4861 §10). */
const ANSWER_MS = 3000;
const HAS_LINK_ADDRESS = NEIGHBOUR_STATE.REACHABLE | NEIGHBOUR_STATE.STALE | NEIGHBOUR_STATE.DELAY | NEIGHBOUR_STATE.PROBE;

/** What became of one: it does not answer, it answers again, it is none any more. */
export type RouterNews = 'silent' | 'answers' | 'lost';

interface Watched {
  readonly router: AddressWords;
  /** Its neighbour was known to be a router. */
  wasRouter: boolean;
  /** Kernel ms of the next question; Infinity: it answers, as far as is known. */
  probeMs: number;
  /** And of the last one. */
  askedMs: number;
  news: RouterNews | null;
}

/** What neighbours say of routers: which are silent (RFC 4861 §6.3.6), and which are none any more (§7.2.5). As many as there are routers. */
export class RouterWatch {
  #watched: readonly Watched[] = [];

  /** When something is to be done; Infinity: never. */
  get nextMs(): number {
    return this.#watched.reduce((least, { probeMs, news }) => Math.min(least, news === null ? probeMs : 0), Number.POSITIVE_INFINITY);
  }

  /** These are the link's routers. */
  follow(routers: readonly AddressWords[]): void {
    const known = (router: AddressWords): Watched | undefined => this.#watched.find((each) => isSame(each.router, ...router));
    const begun = { wasRouter: false, probeMs: Number.POSITIVE_INFINITY, askedMs: Number.NEGATIVE_INFINITY, news: null };
    this.#watched = routers.map((router) => known(router) ?? { router, ...begun });
  }

  /** Its neighbour is known as a router. */
  confirm(router: AddressWords): void {
    const one = this.#watched.find((each) => isSame(each.router, ...router));
    if (one !== undefined) one.wasRouter = true;
  }

  /** Returns whether there is news of one that is followed. Only notes it: its caller is in the midst of a change. */
  changed(neighbour: Neighbour, nowMs: number): boolean {
    const { address0, address1, address2, address3, state, isRouter } = neighbour;
    const one = this.#watched.find(({ router }) => isSame(router, address0, address1, address2, address3));
    if (one === undefined) return false;
    if (state === NEIGHBOUR_STATE.FAILED) {
      if (one.probeMs === Number.POSITIVE_INFINITY) one.probeMs = nowMs + PROBE_MS;
      one.news = 'silent';
      return true;
    }
    if (!hasLinkAddress(neighbour)) return false;
    if (one.wasRouter && !isRouter) one.news = 'lost';
    else if (one.probeMs !== Number.POSITIVE_INFINITY) one.news = 'answers';
    one.wasRouter = isRouter;
    one.probeMs = Number.POSITIVE_INFINITY;
    return one.news !== null;
  }

  /** What has become of them, once. */
  takeNews(): readonly { readonly router: AddressWords; readonly news: RouterNews }[] {
    const told = this.#watched.flatMap(({ router, news }) => (news === null ? [] : [{ router, news }]));
    for (const each of this.#watched) each.news = null;
    return told;
  }

  /** Those to be asked now; again in a minute. */
  takeDue(nowMs: number): readonly AddressWords[] {
    const due = this.#watched.filter(({ probeMs }) => probeMs <= nowMs);
    for (const each of due) {
      each.probeMs = nowMs + PROBE_MS;
      each.askedMs = nowMs;
    }
    return due.map(({ router }) => router);
  }

  /** Its answer would come now. */
  isAsked(word0: number, word1: number, word2: number, word3: number, nowMs: number): boolean {
    for (let i = 0; i < this.#watched.length; i++) {
      const { router, askedMs } = this.#watched[i]!;
      if (nowMs - askedMs < ANSWER_MS && isSame(router, word0, word1, word2, word3)) return true;
    }
    return false;
  }
}

/** Whether it is known where it is. */
export function hasLinkAddress({ state }: Neighbour): boolean {
  return (state & HAS_LINK_ADDRESS) !== 0;
}
