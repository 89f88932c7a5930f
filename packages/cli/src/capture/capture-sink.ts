/** Where the bytes of a capture go. */
export interface CaptureSink {
  /** Takes bytes, which are its own. False: it is full; `drained` tells when it is not. @throws what the host says. */
  write(bytes: Uint8Array): boolean;
  /** Writes what it has taken, and lets go. Idempotent. */
  close(): void;
}

/** Who gives them to a sink. */
export interface SinkUser {
  drained(): void;
  /** Nobody takes them any more. @param why for people; empty: it ended of its own accord. */
  gone(why: string): void;
}
