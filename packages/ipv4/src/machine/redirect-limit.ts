import type { Clock } from '@softnet/contract';
import { PeerPlaces } from '@softnet/inet';

const PEERS = 1024;

/** How often redirects are repeated: `net.ipv4.route.redirect_*`. */
export interface RedirectPace {
  /** How long after the first the second may follow; each further one waits twice as long. */
  readonly loadMs: number;
  /** So many in a row, then none: who does not heed them will not. */
  readonly number: number;
  /** A host that was not redirected for so long is told anew. */
  readonly silenceMs: number;
}

/** Redirects to one host, by Linux's rule (`ip_rt_send_redirect`): fewer and fewer, then none until it has been quiet. */
export class RedirectLimit {
  readonly #clock: Clock;
  readonly #places: PeerPlaces;
  readonly #sent = new Uint8Array(PEERS);
  /** The last that was sent; of one who does not heed them, the last packet that went the long way. */
  readonly #lastUs = new Float64Array(PEERS);

  constructor(clock: Clock, secret: number) {
    this.#clock = clock;
    this.#places = new PeerPlaces(PEERS, secret);
  }

  take(peer: number, { loadMs, number, silenceMs }: RedirectPace): boolean {
    const { nowUs } = this.#clock;
    const at = this.#places.find(peer, nowUs);
    const sinceUs = nowUs - this.#lastUs[at]!;
    if (this.#places.isNew || sinceUs > silenceMs * 1000) this.#sent[at] = 0;
    const sent = this.#sent[at]!;
    if (sent >= number) {
      this.#lastUs[at] = nowUs;
      return false;
    }
    if (sent > 0 && sinceUs <= loadMs * 1000 * 2 ** sent) return false;
    this.#lastUs[at] = nowUs;
    this.#sent[at] = sent + 1;
    return true;
  }
}
