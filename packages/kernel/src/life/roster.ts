import { NetError } from '@softnet/contract';
import { Dependence } from '../load/dependence.ts';
import type { Generation } from './generation.ts';

/** All generations of a kernel that are not gone, who of them needs whom, and how many of each name there were. */
export class Roster {
  readonly #onRemoved: () => void;
  readonly dependence = new Dependence<Generation>();
  readonly #numbers = new Map<string, number>();
  #all: readonly Generation[] = [];

  /** @param onRemoved told of each generation that is gone: somebody may have waited for that. */
  constructor(onRemoved: () => void) {
    this.#onRemoved = onRemoved;
  }

  /** In the order in which they were loaded. */
  get all(): readonly Generation[] {
    return this.#all;
  }

  /** The number of the next generation of this name. */
  nextNumber(name: string): number {
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    return number;
  }

  add(generation: Generation): void {
    this.#all = [...this.#all, generation];
    this.dependence.add(generation);
  }

  remove(generation: Generation): void {
    this.#all = this.#all.filter((other) => other !== generation);
    this.dependence.remove(generation);
    this.#onRemoved();
  }

  /** The newest generation of `name`, or exactly `name#number`. One that is starting to replace another is not meant by its name yet. */
  find(name: string): Generation | undefined {
    const named = this.#all.filter((generation) => generation.name === name || generation.label === name);
    return named.findLast(({ phase }) => phase !== 'starting') ?? named.at(-1);
  }

  /** @throws NetError ENOENT, with what is there. */
  get(name: string, syscall: string): Generation {
    const generation = this.find(name);
    if (generation !== undefined) return generation;
    const names = this.#all.map(({ label }) => label).join(', ') || 'none';
    throw new NetError('ENOENT', `no module ${name} is loaded (loaded: ${names})`, { syscall, module: name });
  }

  byOwner(owner: number): Generation | undefined {
    return this.#all.find((generation) => generation.owner === owner);
  }
}
