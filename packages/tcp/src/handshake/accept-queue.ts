import type { Connection } from '../machine/connection.ts';

/** Connections that wait to be accepted, first come, first served. Who is reset meanwhile stays, as in Linux: its user learns it from the socket. */
export class AcceptQueue {
  #waiting: Connection[] = [];
  #head = 0;

  get count(): number {
    return this.#waiting.length - this.#head;
  }

  push(conn: Connection): void {
    this.#waiting.push(conn);
  }

  shift(): Connection | null {
    if (this.#head === this.#waiting.length) return null;
    const conn = this.#waiting[this.#head]!;
    this.#head++;
    if (this.#head > 32 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    } else if (this.#head === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#head = 0;
    }
    return conn;
  }

  /** In its order: for lists. */
  [Symbol.iterator](): Iterator<Connection> {
    return this.#waiting.slice(this.#head).values();
  }
}
