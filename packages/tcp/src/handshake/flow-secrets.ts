import type { Random } from '@softnet/contract';
import type { SipKey } from '@softnet/inet';
import { HalfSipHash, sipKey } from '@softnet/inet';
import { initialSequence } from '../machine/initial-sequence.ts';
import type { CookieHash } from '../machine/syn-cookie.ts';
import type { Ends } from './arrived-flow.ts';

/** What a hash is for: no two of them tell anything of each other. */
const PURPOSE = Object.freeze({ SEQUENCE: 1, TIMESTAMPS: 2, PLACE: 3, COOKIE: 4 } as const);
const US_IN_TICK = 4;
const PURPOSE_AT = 9;

/** What is derived of both ends by a key from the kernel's chance: nobody outside can foretell it. {@link FlowSecrets.aim} says of which ends. Allocates nothing. */
export class FlowSecrets {
  #sip: HalfSipHash;
  /** Of the same ends, for `machine/syn-cookie.ts`. */
  readonly cookieHash: CookieHash;

  constructor(random: Random) {
    this.#sip = new HalfSipHash(sipKey(random));
    this.cookieHash = (key, count) => {
      const sip = this.#sip;
      sip.words[PURPOSE_AT] = PURPOSE.COOKIE + key;
      sip.words[PURPOSE_AT + 1] = count;
      return sip.of(PURPOSE_AT + 2);
    };
  }

  /** For the next generation, whose sequence numbers and timestamps go on by it. Set before anything is derived. */
  get key(): SipKey {
    return this.#sip.key;
  }

  set key(key: SipKey) {
    this.#sip = new HalfSipHash(key);
  }

  aim(ends: Ends, localPort: number, remotePort: number): this {
    const { words } = this.#sip;
    words[0] = (localPort << 16) | remotePort;
    words[1] = ends.local0;
    words[2] = ends.local1;
    words[3] = ends.local2;
    words[4] = ends.local3;
    words[5] = ends.remote0;
    words[6] = ends.remote1;
    words[7] = ends.remote2;
    words[8] = ends.remote3;
    return this;
  }

  /** RFC 6528 §3. @param nowUs of a clock that does not wrap at 2³¹. */
  initialSequence(nowUs: number): number {
    return initialSequence(this.#of(PURPOSE.SEQUENCE), Math.floor(nowUs / US_IN_TICK) | 0);
  }

  /** What is added to our clock in its timestamps (RFC 7323 §5.4, §7.1): the same for each connection of these ends, so that RFC 6191 and PAWS hold across them. */
  tsOffset(): number {
    return this.#of(PURPOSE.TIMESTAMPS);
  }

  /** Where it stands in the table of requests. */
  place(): number {
    return this.#of(PURPOSE.PLACE);
  }

  #of(purpose: number): number {
    this.#sip.words[PURPOSE_AT] = purpose;
    return this.#sip.of(PURPOSE_AT + 1);
  }
}
