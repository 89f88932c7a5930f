import 'reflect-metadata';
import type { ModuleContext } from './context.ts';
import type { Frozen } from './frozen.ts';
import type { Requirement } from './requirement.ts';
import type { AnyToken } from './token.ts';
import { CONTRACT_VERSION } from './version.ts';

/** What a module says of itself before any of its code runs. */
export interface Manifest {
  /** Lower case letters, digits and dashes: the name that `rmmod` takes. */
  readonly name: string;
  /** Semver of the module. */
  readonly version: string;
  /** One sentence for `lsmod`. */
  readonly summary?: string;
  /**
   * Semver range of the contract that it was written for. A plugin that is handed the host's contract should say it: the
   * default is `^` of the contract at hand, which for a plugin is the host's.
   */
  readonly contract?: string;
  readonly requires?: readonly Requirement[];
  /** Tokens that `start` publishes (services) or contributes to (points). Publishing another one is an error. */
  readonly provides?: readonly AnyToken[];
  /**
   * It owns a registry that others' objects live in (ports, flows, devices, tables): two generations side by side
   * would split it, so it is replaced by hand-over only.
   */
  readonly registry?: boolean;
  /** It drives real devices, and so cannot live in a World on virtual time. */
  readonly realTime?: boolean;
}

/**
 * A module: what the loader calls. Only `start` is needed; what `start` published through its context is taken back
 * without code of the module's own.
 *
 * Every hook may return a promise; one that throws, or that has not settled by the deadline, is reported with the
 * module's name and leaves nothing behind.
 */
export interface SoftnetModule {
  /** Publish through `ctx`. Nothing is visible before this resolves; then all of it is, in one tick. */
  start(ctx: ModuleContext): void | Promise<void>;
  /** Stage 1 has begun: the doors are shut, listeners parked, owners told. Objects go on. */
  withdraw?(): void | Promise<void>;
  /** The unload was called off. The doors open again when this resolves. */
  abort?(): void | Promise<void>;
  /** Stage 2 is over, no object is held, the corridors are taken. Let go of what lies outside the kernel. */
  stop?(): void | Promise<void>;
  /** The module's own state for its next generation, beside its objects'. Changes nothing. */
  freeze?(): Frozen;
  /** Takes over the state of the last generation; called after `start`, before anything is published. */
  thaw?(frozen: Frozen): void;
}

/** The class of a module, as the loader takes it. */
export type ModuleClass = new () => SoftnetModule;

/** `Symbol.for`: found on classes of a bundle that came with its own copy of reflect-metadata. */
const MANIFEST = Symbol.for('softnet:manifest');

/**
 * Marks a class as a module.
 *
 * ```ts
 * \@Module({ name: 'echo', version: '1.0.0', requires: [one(Udp)] })
 * export default class Echo implements SoftnetModule { … }
 * ```
 * Without decorators: `Module({ … })(Echo)`.
 */
export function Module(manifest: Manifest): (target: ModuleClass) => void {
  return (target) => {
    Reflect.defineMetadata(MANIFEST, { contract: `^${CONTRACT_VERSION}`, ...manifest }, target);
  };
}

/** What `@Module` said of the class, unchecked, or undefined where it is not marked. */
export function manifestOf(target: object): unknown {
  return Reflect.getOwnMetadata(MANIFEST, target);
}
