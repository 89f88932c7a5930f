import 'reflect-metadata';
import type { ModuleClass, ModuleContext, SoftnetModule } from '@softnet/contract';
import type { ServiceIdentifier } from 'inversify';
import { Container } from 'inversify';

/**
 * Composes the parts of a kernel and its modules: the only place that knows inversify, and never on a packet's way.
 * Each generation of a module is made in a container of its own below the kernel's, which is thrown away with it.
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

  /** Makes the module of one generation. */
  instantiate(moduleClass: ModuleClass, context: ModuleContext): SoftnetModule {
    const container = new Container({ parent: this.#container, defaultScope: 'Singleton' });
    container.bind(CONTEXT).toConstantValue(context);
    container.bind<SoftnetModule>(MODULE).toResolvedValue(() => new moduleClass());
    return container.get<SoftnetModule>(MODULE);
  }
}

/** Names a part of a kernel, with its type. */
export interface Part<T> {
  readonly key: symbol;
  /** Carries the type; never set. */
  readonly made?: T;
}

type Made<D extends readonly Part<unknown>[]> = { [I in keyof D]: D[I] extends Part<infer T> ? T : never };

const CONTEXT = Symbol('context');
const MODULE = Symbol('module');

/** Makes the name of a part. */
export function definePart<T>(name: string): Part<T> {
  return Object.freeze({ key: Symbol(`kernel:${name}`) });
}
