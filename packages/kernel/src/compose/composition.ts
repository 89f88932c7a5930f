import 'reflect-metadata';
import type { ModuleClass, SoftnetModule } from '@softnet/contract';
import type { ServiceIdentifier } from 'inversify';
import { Container } from 'inversify';

/**
 * Composes the parts of a kernel and its modules: the only place that knows inversify, and never on a packet's way.
 */
export class Composition {
  readonly #container = new Container({ defaultScope: 'Singleton' });

  /** Says how to make a part from others; it is made once, when first asked for. */
  part<T, D extends readonly Part<unknown>[]>(part: Part<T>, needs: readonly [...D], make: (...needed: Made<D>) => T): void {
    const identifiers = needs.map(({ key }) => key) as ServiceIdentifier[];
    this.#container.bind<T>(part.key).toResolvedValue(make as (...needed: unknown[]) => T, identifiers);
  }

  /** Gives a part that is there already. */
  given<T>(part: Part<T>, value: T): void {
    this.#container.bind<T>(part.key).toConstantValue(value);
  }

  get<T>(part: Part<T>): T {
    return this.#container.get<T>(part.key);
  }

  /** Makes the module of one generation. Its binding is taken back at once: a container keeps what is bound in it. */
  instantiate(moduleClass: ModuleClass): SoftnetModule {
    this.#container.bind<SoftnetModule>(MODULE).toResolvedValue(() => new moduleClass());
    try {
      return this.#container.get<SoftnetModule>(MODULE);
    } finally {
      this.#container.unbind(MODULE);
    }
  }
}

/** Names a part of a kernel, with its type. */
export interface Part<T> {
  readonly key: symbol;
  /** Carries the type; never set. */
  readonly made?: T;
}

type Made<D extends readonly Part<unknown>[]> = { [I in keyof D]: D[I] extends Part<infer T> ? T : never };

const MODULE = Symbol('module');

/** Makes the name of a part. */
export function definePart<T>(name: string): Part<T> {
  return Object.freeze({ key: Symbol(`kernel:${name}`) });
}
