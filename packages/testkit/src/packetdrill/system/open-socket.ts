import type { FaceHost, Notice, Owner, SockCommon } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, POLL } from '@softnet/contract';
import type { Answer } from './system-calls.ts';

/** A socket that has a descriptor; calls that block wait here. */
export class OpenSocket implements Owner {
  readonly name: string;
  sock!: SockCommon;
  isBlocking: boolean;
  readonly #watchers = new Set<() => void>();
  #closed = false;

  private constructor(name: string, isBlocking: boolean) {
    this.name = name;
    this.isBlocking = isBlocking;
  }

  /** Null: `make` gave none. @throws what it throws. */
  static of(name: string, make: (owner: Owner) => SockCommon | null, isBlocking: boolean): OpenSocket | null {
    const opened = new OpenSocket(name, isBlocking);
    const sock = make(opened);
    if (sock === null) return null;
    opened.sock = sock;
    sock.wake = () => opened.#woken();
    return opened;
  }

  notice({ sort }: Notice): void {
    if (sort !== 'closed') return;
    this.#closed = true;
    this.#woken();
  }

  /** Hears each change; returns how to hear no more. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  poll(): number {
    return this.#closed ? POLL.HUP : this.sock.ops.calls!.poll(this.sock);
  }

  /** Resolves when it is ready for one of these. */
  until(mask: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): boolean => (this.poll() & (mask | POLL.ERR | POLL.HUP)) !== 0;
      if (look()) {
        resolve();
        return;
      }
      const off = this.watch(() => {
        if (!look()) return;
        off();
        resolve();
      });
    });
  }

  /** Calls until it does not answer -EAGAIN, where it blocks; SO_RCVTIMEO and SO_SNDTIMEO end it. */
  retried(host: FaceHost, call: () => number, mask: number, flags: number): Answer {
    const answer = call();
    if (answer !== -ERRNO.EAGAIN || !this.isBlocking || (flags & MESSAGE_FLAG.DONTWAIT) !== 0) return answer;
    const { options } = this.sock;
    const timeoutUs = (mask === POLL.IN ? options?.receiveTimeoutUs : options?.sendTimeoutUs) ?? 0;
    let isOver = false;
    let callOff = () => {};
    const over = new Promise<void>((resolve) => {
      if (timeoutUs > 0) callOff = host.after(timeoutUs, () => resolve(), 'packetdrill.timeout');
    }).then(() => {
      isOver = true;
    });
    const again = async (): Promise<number> => {
      for (;;) {
        // Not until it is ready: an error that waits elsewhere makes it so, again and again.
        await Promise.race([this.#changed(), over]);
        if (isOver) return -ERRNO.EAGAIN;
        if (this.#closed) return -ERRNO.EBADF;
        const next = call();
        if (next !== -ERRNO.EAGAIN) return next;
      }
    };
    return again().finally(callOff);
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      const off = this.watch(() => {
        off();
        resolve();
      });
    });
  }

  /** SO_ERROR, which is cleared. */
  takeError(): number {
    const { error } = this.sock;
    this.sock.error = 0;
    return error;
  }

  close(): void {
    this.sock.wake = null;
    if (!this.#closed) this.sock.ops.calls!.close(this.sock);
    this.#closed = true;
    this.#woken();
  }

  #woken(): void {
    for (const changed of [...this.#watchers]) changed();
  }
}
