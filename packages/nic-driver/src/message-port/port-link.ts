import { IncomingBatches } from './incoming-batches.ts';
import type { MessagePortLike, PortListener } from './message-port-like.ts';
import { listen } from './message-port-like.ts';
import type { Peer } from './messages.ts';
import { BATCHES, emitBye, emitHello, parseHello, SORT, sortOf, VERSION } from './messages.ts';
import { OutgoingBatches } from './outgoing-batches.ts';

/** Who works a link: told by the event loop, outside of any batch. */
export interface PortUser {
  /** Frames came, a buffer came back, the other side came, changed or went. */
  stirred(): void;
  /** A message that is none of ours, or in no place. */
  garbage(): void;
  /** More batches than were allowed: one is lost. */
  tooMany(): void;
  /** The other side speaks another version. */
  version(version: number): void;
}

/** A port, and what is known of who is behind it. It outlives the generation of the module that made it. */
export class PortLink implements PortListener {
  readonly sort = 'message-port';
  readonly incoming: IncomingBatches = new IncomingBatches((buffer) => this.#post(buffer, true));
  readonly outgoing: OutgoingBatches = new OutgoingBatches();
  user: PortUser | null = null;
  /** The other side, once it has said so. */
  peer: Peer | null = null;
  mtuBytes: number;
  readonly #port: MessagePortLike;
  readonly #transfer: ArrayBuffer[] = [];
  #up = false;
  #closed = false;
  #end: (() => void) | null = null;

  constructor(port: MessagePortLike, mtuBytes: number) {
    this.#port = port;
    this.mtuBytes = mtuBytes;
  }

  /** There is another side, and its device is up. */
  get connected(): boolean {
    return this.peer?.up === true;
  }

  begin(): void {
    this.#end = listen(this.#port, this);
    this.#hello(true);
  }

  /** Our device goes up or down, or has another MTU: the other side is told. */
  tell(up: boolean, mtuBytes: number): void {
    this.#up = up;
    this.mtuBytes = mtuBytes;
    if (this.#end !== null) this.#hello(false);
  }

  /** Sends what is collected. */
  flush(): void {
    const batch = this.outgoing.flush();
    if (batch !== null) this.#post(batch, true);
  }

  /** Says goodbye, and hears nothing more. The port stays who made it's. Idempotent. */
  close(): void {
    this.user = null;
    if (this.#end === null) return;
    this.#post(emitBye(), false);
    this.#end();
    this.#end = null;
    this.#closed = true;
    this.peer = null;
  }

  message(message: unknown): void {
    // What comes out of a port that has failed is nobody's: nothing could be given back.
    if (this.#closed) return;
    switch (sortOf(message)) {
      case SORT.HELLO:
        this.#heard(message as ArrayBuffer);
        break;
      case SORT.FRAMES:
        if (!this.incoming.take(message as ArrayBuffer)) this.user?.tooMany();
        break;
      case SORT.RETURN:
        if (!this.outgoing.returned(message as ArrayBuffer)) this.user?.garbage();
        break;
      case SORT.BYE:
        this.peer = null;
        break;
      default:
        this.user?.garbage();
        return;
    }
    this.user?.stirred();
  }

  closed(): void {
    this.#closed = true;
    this.peer = null;
    this.user?.stirred();
  }

  #heard(message: ArrayBuffer): void {
    const peer = parseHello(message);
    if (peer === null) {
      this.user?.garbage();
      return;
    }
    if (peer.version !== VERSION) {
      this.peer = null;
      this.user?.version(peer.version);
      return;
    }
    if (peer.asks || this.peer === null) this.outgoing.begin(peer.batches);
    else this.outgoing.setLimit(peer.batches);
    this.peer = peer;
    if (peer.asks) this.#hello(false);
  }

  #hello(asks: boolean): void {
    this.#post(emitHello({ version: VERSION, asks, up: this.#up, mtuBytes: this.mtuBytes, batches: BATCHES }), false);
  }

  /** @param given: it is given away, not copied. */
  #post(message: ArrayBuffer, given: boolean): void {
    if (this.#closed) return;
    if (given) this.#transfer[0] = message;
    else this.#transfer.length = 0;
    try {
      this.#port.postMessage(message, this.#transfer);
    } catch {
      // Its thread is over, or it can carry no buffers: there is no other side.
      this.closed();
    }
    this.#transfer.length = 0;
  }
}
