import type { MemoryAccount, MemoryAccounts, Port } from '@softnet/contract';
import { Counter, MEMORY_PRESSURE } from '@softnet/contract';
import { DEBUG } from './debug.ts';
import { fault } from './ledger.ts';

/** When memory is low, who has more than an eighth of what he may have gets no more. */
const LITTLE_SHIFT = 3;

/** What waits in one module. */
class Account implements MemoryAccount {
  readonly name: string;
  readonly refused: Counter;
  bytes = 0;
  peakBytes = 0;
  readonly #accounts: Port<MemoryAccounts>;

  constructor(name: string, accounts: Port<MemoryAccounts>) {
    this.name = name;
    this.refused = new Counter(`${name}.refused`);
    this.#accounts = accounts;
  }

  admit(bytes: number, heldBytes: number, limitBytes: number): boolean {
    if (!this.#isLetIn(bytes, heldBytes, limitBytes)) {
      this.refused.value++;
      return false;
    }
    this.add(bytes);
    return true;
  }

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
  }

  sub(bytes: number): void {
    if (DEBUG && bytes > this.bytes) throw fault(`${this.name} gives back ${bytes} bytes, but its account has ${this.bytes}`);
    this.bytes -= bytes;
  }

  /** The rule, whole. Most need not ask how scarce memory is: they have nothing waiting, or too much. */
  #isLetIn(bytes: number, heldBytes: number, limitBytes: number): boolean {
    const fits = heldBytes + bytes <= limitBytes;
    if (fits === (heldBytes === 0)) return fits;
    // Of whoever provides it now: memory may be another generation's than the account is.
    const pressure = this.#accounts.current.pressure();
    if (pressure === MEMORY_PRESSURE.NONE) return true;
    return pressure === MEMORY_PRESSURE.LOW && heldBytes <= limitBytes >> LITTLE_SHIFT;
  }
}

/** The accounts of a kernel. They outlive the generation that made them: the next one goes on with the same list. */
export class Accounts implements MemoryAccounts {
  readonly #port: Port<MemoryAccounts>;
  readonly #pressure: () => number;
  readonly #roomBytes: () => number;
  readonly #all: MemoryAccount[];

  /**
   * @param port to the service that this is one generation of. While that one is not live yet, the last one is asked for its list.
   * @param pressure one of MEMORY_PRESSURE. @param roomBytes truesize of all packets that there can be.
   */
  constructor(port: Port<MemoryAccounts>, pressure: () => number, roomBytes: () => number = () => 0) {
    this.#port = port;
    this.#pressure = pressure;
    this.#roomBytes = roomBytes;
    this.#all = port.present ? (port.current.all() as MemoryAccount[]) : [];
  }

  open(name: string): MemoryAccount {
    const found = this.#all.find((account) => account.name === name);
    if (found !== undefined) return found;
    const account = new Account(name, this.#port);
    this.#all.push(account);
    return account;
  }

  all(): readonly MemoryAccount[] {
    return this.#all;
  }

  pressure(): number {
    return this.#pressure();
  }

  roomBytes(): number {
    return this.#roomBytes();
  }
}
