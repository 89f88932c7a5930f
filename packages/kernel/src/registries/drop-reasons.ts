import { DropReason, NetError } from '@softnet/contract';

/** Ids are written into captures and kept in ten bits. */
const MAX_REASONS = 1023;

/** Why packets were dropped, of all modules. A reason keeps its id and count as long as the kernel runs. */
export class DropReasons {
  readonly #byName = new Map<string, DropReason>();
  readonly #registered = new Map<number, Set<string>>();

  /** @throws NetError ENOSPC after 1023 different names. */
  register(owner: number, name: string, text: string): DropReason {
    const reason = this.#byName.get(name) ?? this.#make(name, text);
    const names = this.#registered.get(owner) ?? new Set();
    this.#registered.set(owner, names.add(name));
    return reason;
  }

  all(): DropReason[] {
    return [...this.#byName.values()];
  }

  /** How many a generation registered. */
  countOf(owner: number): number {
    return this.#registered.get(owner)?.size ?? 0;
  }

  /** The generation is gone; the counts stay readable. */
  remove(owner: number): void {
    this.#registered.delete(owner);
  }

  #make(name: string, text: string): DropReason {
    if (this.#byName.size === MAX_REASONS) {
      throw new NetError('ENOSPC', `all ${MAX_REASONS} drop reasons are taken, none is left for ${name}: register a fixed set in start`);
    }
    const reason = new DropReason(this.#byName.size + 1, name, text);
    this.#byName.set(name, reason);
    return reason;
  }
}
