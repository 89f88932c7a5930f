import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { isAfter } from '../machine/sequence.ts';
import { FakeHost } from './machine-pair.ts';

/** A host where all goes wrong that may, and whose users act in the middle of what is called: each by chance. */
export class ActingHost extends FakeHost {
  /** Chances in 100: that a segment cannot be sent, that there is no room for what came, no memory to hand it over; that a user acts. */
  failPercent = 0;
  fullPercent = 0;
  actPercent = 0;
  /** A number from 0 to the bound, less one. */
  draw: (bound: number) => number = () => 0;
  /** What a user does who is called. */
  act: (conn: Connection) => void = () => {};
  /** The right edge of the window as the peer knows it; `mistakes` tells of one that went back. */
  edge: number | null = null;
  readonly mistakes: string[] = [];
  #depth = 0;

  override transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    if ((conn.flags & FLAG.OVER) !== 0) this.mistakes.push('what is over sends');
    this.#maybeAct(conn);
    if (this.draw(100) < this.failPercent) return false;
    super.transmit(conn, flags, seq, lenBytes);
    const edge = (conn.rcvNxt + conn.rcvWnd) | 0;
    if (this.edge !== null && isAfter(this.edge, edge)) this.mistakes.push(`the window shrank by ${(this.edge - edge) | 0}`);
    this.edge = edge;
    this.#maybeAct(conn);
    return true;
  }

  override acknowledged(conn: Connection): void {
    this.#maybeAct(conn);
  }

  override wake(conn: Connection): void {
    this.#maybeAct(conn);
  }

  override established(conn: Connection): void {
    this.#maybeAct(conn);
  }

  override deliver(conn: Connection, skb: object, skipBytes: number, lenBytes: number): void {
    super.deliver(conn, skb, skipBytes, lenBytes);
    this.#maybeAct(conn);
  }

  override admit(): boolean {
    return this.draw(100) >= this.fullPercent && super.admit();
  }

  override deliverPiece(conn: Connection, payload: object, skipBytes: number, lenBytes: number): boolean {
    return this.draw(100) >= this.fullPercent && super.deliverPiece(conn, payload, skipBytes, lenBytes);
  }

  override over(conn: Connection, errno: number): void {
    if (this.ended !== null) this.mistakes.push('it ends twice');
    super.over(conn, errno);
    conn.congestion = null;
    this.#maybeAct(conn);
  }

  override timeWait(conn: Connection, state: number): void {
    if (this.ended !== null) this.mistakes.push('it ends twice');
    super.timeWait(conn, state);
    conn.congestion = null;
    conn.sock.state = 0;
    this.#maybeAct(conn);
  }

  #maybeAct(conn: Connection): void {
    if (this.#depth > 2 || this.draw(100) >= this.actPercent) return;
    this.#depth++;
    this.act(conn);
    this.#depth--;
  }
}
