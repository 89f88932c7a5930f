import * as inet from '@softnet/inet';
import type { Kernel, KernelOptions, ModuleSource } from '@softnet/kernel';
import { nodeEvaluate } from '@softnet/kernel/node';
import * as skb from '@softnet/skb';
import type { Net, NetHost } from '@softnet/testkit';
import * as wire from '@softnet/wire';
import type { Web } from '../web/web.ts';
import type { Troubles } from './troubles.ts';

/** Kernels that run, and what a prompt or a report says of them. */
export interface Scene {
  /** Lines for who sits down. */
  readonly welcome: readonly string[];
  readonly net: Net;
  /** The first is the one that commands go to. */
  readonly hosts: readonly NetHost[];
  /** Their kernels, in the same order. */
  readonly kernels: readonly Kernel[];
  /** What has a name at the prompt. */
  readonly catalogue: Readonly<Record<string, ModuleSource>>;
  /** What could not be set up again after a module came back. */
  readonly troubles: Troubles;
  /** Web servers inside, and ways to them. */
  readonly web: Web;
}

/** How to make a scene. */
export interface SceneOptions {
  readonly clock: 'real' | 'virtual';
  /** Of all chance. */
  readonly seed: number;
  /** Kernels that keep a stack of every hold. */
  readonly debug: boolean;
  /** A loopback port of this machine that leads to the web server of b; 0: any, null: the usual one. Undefined: none. */
  readonly webPort?: number | null;
}

/** Kernels that load strangers' bundles, and hand them the libraries that modules may import. */
export function kernelOptions(debug: boolean): Pick<KernelOptions, 'debug' | 'evaluate' | 'libraries'> {
  return { debug, evaluate: nodeEvaluate, libraries: { '@softnet/skb': skb, '@softnet/wire': wire, '@softnet/inet': inet } };
}

/** Makes modules known to the kernels, and gives them their names. */
export function offerAll(kernels: readonly Kernel[], sources: readonly ModuleSource[]): Readonly<Record<string, ModuleSource>> {
  const names = kernels.map((kernel) => kernel.offer(...sources))[0] ?? [];
  return Object.fromEntries(names.map((name, index) => [name, sources[index]!]));
}
