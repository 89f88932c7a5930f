/** A machine as plain data: layout 1. */
export type FrozenMachine = {
  readonly state: string;
  readonly una: number;
  readonly next: number;
  readonly expected: number;
  readonly tries: number;
  /** µs of kernel time; -1: none. */
  readonly timeoutUs: number;
  readonly outbox: Uint8Array;
  /** Its user waits for room. */
  readonly wanting: boolean;
};
