import type { FaceHost, SockCommon } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, Message, POLL, SO, SOL } from '@softnet/contract';
import { fillStream, firstWrong } from './stream-bytes.ts';

/** What one end does with its connection. */
export interface Behaviour {
  /** Octets that it sends, then it shuts down sending. */
  readonly sendBytes: number;
  /** Longest write, and longest read. */
  readonly chunkBytes: number;
  /** A pause between calls is at most so long, µs; 0: none. */
  readonly pauseUs: number;
  /** It closes when it has read so much, whatever else comes; -1: never. */
  readonly quitsAt: number;
  /** Then it resets the connection (SO_LINGER of 0 s). */
  readonly aborts: boolean;
  /** A whole number of chance, for this end's own draws. */
  readonly seed: number;
}

/** A program at one end of a connection: writes and reads in pieces of chance, checks each octet, closes when both directions have ended. */
export class StreamUser {
  sock: SockCommon;
  readonly behaviour: Behaviour;
  sentBytes = 0;
  readBytes = 0;
  /** Of the first octet that was wrong; -1: none. */
  wrongAt = -1;
  /** The peer's end was read. */
  ended = false;
  shut = false;
  closed = false;
  /** The errno that a call gave; 0: none. */
  errno = 0;
  readonly #host: FaceHost;
  readonly #out: number;
  readonly #in: number;
  readonly #message = new Message();
  readonly #room: Uint8Array;
  #random: number;
  #waiting = false;

  /** @param out, incoming numbers of the streams each way. */
  constructor(host: FaceHost, sock: SockCommon, behaviour: Behaviour, out: number, incoming: number) {
    this.#host = host;
    this.sock = sock;
    this.behaviour = behaviour;
    this.#out = out;
    this.#in = incoming;
    this.#random = behaviour.seed | 1;
    this.#room = new Uint8Array(behaviour.chunkBytes);
    sock.ops.calls!.setOption(sock, SOL.SOCKET, SO.KEEPALIVE, Uint8Array.of(1, 0, 0, 0));
    this.follow(sock);
  }

  /** Its socket is this one from now on. */
  follow(sock: SockCommon): void {
    this.sock = sock;
    sock.user = this;
    sock.wake = () => this.soon();
    this.soon();
  }

  /** Goes on in a moment: not from within the stack. */
  soon(): void {
    if (this.#waiting || this.closed) return;
    this.#waiting = true;
    const { pauseUs } = this.behaviour;
    this.#host.after(
      pauseUs === 0 ? 0 : this.draw(pauseUs),
      () => {
        this.#waiting = false;
        if (!this.closed) this.#step();
      },
      'torture.user',
    );
  }

  draw(bound: number): number {
    this.#random = (Math.imul(this.#random, 1103515245) + 12345) & 0x7fffffff;
    return (this.#random >>> 8) % bound;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.sock.wake = null;
    this.sock.ops.calls!.close(this.sock);
  }

  #step(): void {
    const { calls } = this.sock.ops;
    const bits = calls!.poll(this.sock);
    let again = false;
    if ((bits & (POLL.IN | POLL.RDHUP | POLL.HUP | POLL.ERR)) !== 0 && !this.ended) again = this.#read() || again;
    if (this.closed || this.errno !== 0) {
      this.close();
      return;
    }
    if ((bits & POLL.OUT) !== 0 && !this.shut) again = this.#write() || again;
    if (this.errno !== 0 || (this.ended && this.shut)) {
      this.close();
      return;
    }
    if (again) this.soon();
  }

  #read(): boolean {
    const message = this.#message;
    message.data = this.#room.subarray(0, 1 + this.draw(this.#room.length));
    message.flags = 0;
    const got = this.sock.ops.calls!.receive(this.sock, message);
    if (got === -ERRNO.EAGAIN) return false;
    if (got < 0) this.errno = -got;
    else if (got === 0) this.ended = true;
    else {
      const wrong = firstWrong(message.data, got, this.#in, this.readBytes);
      if (wrong >= 0 && this.wrongAt < 0) this.wrongAt = wrong;
      this.readBytes += got;
      const { quitsAt } = this.behaviour;
      if (quitsAt >= 0 && this.readBytes >= quitsAt) this.#quit();
    }
    return got > 0;
  }

  #quit(): void {
    const { ops } = this.sock;
    if (this.behaviour.aborts) ops.calls!.setOption(this.sock, SOL.SOCKET, SO.LINGER, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    this.close();
  }

  #write(): boolean {
    const left = this.behaviour.sendBytes - this.sentBytes;
    if (left === 0) {
      this.shut = true;
      const done = this.sock.ops.calls!.shutdown(this.sock, 2);
      if (done < 0) this.errno = -done;
      return done >= 0;
    }
    const bytes = new Uint8Array(Math.min(left, 1 + this.draw(this.behaviour.chunkBytes)));
    fillStream(bytes, this.#out, this.sentBytes);
    const message = this.#message;
    message.data = bytes;
    message.flags = this.draw(8) === 0 ? MESSAGE_FLAG.MORE : 0;
    const taken = this.sock.ops.calls!.send(this.sock, message);
    if (taken === -ERRNO.EAGAIN) return false;
    if (taken < 0) this.errno = -taken;
    else this.sentBytes += taken;
    return taken > 0;
  }
}
