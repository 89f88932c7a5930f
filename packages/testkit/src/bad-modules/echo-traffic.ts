import type { Notice } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Traffic } from '../compliance/subject.ts';
import { checkPattern, pattern } from '../traffic.ts';
import type { EchoLine, EchoUser } from './echo.ts';
import { Echo, EchoStreet } from './echo.ts';

const PIECES = 4;
const PIECE_BYTES = 250;

/** A user of a line, that checks what it hears. */
class Caller implements EchoUser {
  readonly name: string;
  readonly #seed: number;
  #line: EchoLine | null = null;
  #said = 0;
  #heard = 0;
  #waiting: { resolve(count: number): void; reject(error: unknown): void } | null = null;

  constructor(seed: number) {
    this.name = `caller ${seed}`;
    this.#seed = seed;
  }

  call(echo: Echo): void {
    this.#line = echo.open(this);
  }

  exchange(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#line === null) return reject(new Error('the line is closed'));
      this.#waiting = { resolve, reject };
      for (let piece = 0; piece < PIECES; piece++, this.#said += PIECE_BYTES) this.#line.say(pattern(this.#seed, this.#said, PIECE_BYTES));
    });
  }

  heard(bytes: Uint8Array): void {
    try {
      checkPattern(this.#seed, this.#heard, bytes);
    } catch (error) {
      this.#waiting?.reject(error);
      return;
    }
    this.#heard += bytes.length;
    if (this.#heard >= this.#said) this.#waiting?.resolve(PIECES * PIECE_BYTES);
  }

  notice({ sort, object, error }: Notice): void {
    if (sort === 'moved') {
      this.#line = object as EchoLine;
      this.#line.user = this;
    } else if (sort === 'closed') {
      this.#line = null;
      this.#waiting?.reject(error);
    }
  }

  close(): void {
    const line = this.#line;
    this.#line = null;
    line?.close();
  }
}

/** Traffic for echo and all that are like it. */
export async function echoTraffic([kernel]: readonly Kernel[]): Promise<Traffic> {
  const door = kernel!.port(Echo);
  const street = kernel!.port(EchoStreet);
  const callers: Caller[] = [];
  let bell: { close(): void } | null = null;
  const host = {
    name: 'host',
    notice: ({ sort, object }: Notice) => {
      if (sort === 'moved') bell = object as unknown as { close(): void };
      if (sort === 'closed') bell = null;
    },
  };
  const call = (): void => {
    const caller = new Caller(callers.length);
    caller.call(door.current);
    callers.push(caller);
  };
  bell = door.current.hang(host);
  call();
  call();
  return {
    exchange: async () => (await Promise.all(callers.map((caller) => caller.exchange()))).reduce((sum, count) => sum + count, 0),
    openAnother: async () => call(),
    knock: () => ({ answered: street.current.ring(), withdraw: () => undefined }),
    close: async () => {
      for (const caller of callers) caller.close();
      bell?.close();
      bell = null;
    },
  };
}
