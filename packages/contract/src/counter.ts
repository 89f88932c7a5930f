/** A statistic of a module: `counter.value++`. Exact up to 2⁵³. */
export class Counter {
  readonly name: string;
  value = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** Why packets are dropped: also its counter, and written into captures. */
export class DropReason {
  /** Small integer, 1 to 1023, the same as long as the kernel runs. */
  readonly id: number;
  /** 'udp.checksum'. */
  readonly name: string;
  /** The sentence shown beside it, with the RFC section. */
  readonly text: string;
  count = 0;

  constructor(id: number, name: string, text: string) {
    this.id = id;
    this.name = name;
    this.text = text;
  }
}

/** A place in every skb that one module owns: conntrack, secpath. */
export interface SkbSlot {
  readonly name: string;
  /** Index into `skb.slots`. */
  readonly index: number;
}

/** A module's log. `fields` are plain values that a sink may print or keep. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
