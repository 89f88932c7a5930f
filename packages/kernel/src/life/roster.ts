import { NetError } from '@softnet/contract';
import { Dependence } from '../load/dependence.ts';
import type { Generation } from './generation.ts';

/** All generations of a kernel that are not gone, who of them needs whom, and how many of each name there were. */
export class Roster {
  readonly dependence = new Dependence<Generation>();
  readonly #numbers = new Map<string, number>();
  #all: readonly Generation[] = [];

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
  }

  /** The newest generation of `name`, or exactly `name#number`. */
  find(name: string): Generation | undefined {
    return this.#all.findLast((generation) => generation.name === name || generation.label === name);
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
