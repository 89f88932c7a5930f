import type { Errno, ModuleClass } from '@softnet/contract';

/**
 * What callers say to the kernel about modules, and what it answers. All answers are plain data, for a command line, a
 * test or a picture.
 */

/** Where a module stands. A name that was never loaded, or is gone, has no state. */
export type ModuleState = 'starting' | 'live' | 'withdrawing' | 'draining' | 'gone';

/** What can be loaded: a class at hand, or the text of one CommonJS bundle. */
export type ModuleSource = ModuleClass | Bundle;

/** One CommonJS bundle whose `module.exports` (or `.default`) is a module class. It is evaluated anew at each load. */
export interface Bundle {
  readonly code: string;
  /** Shown in stack traces and errors. */
  readonly filename: string;
}

/** What somebody holds, for lists. */
export interface HolderInfo {
  /** `name#generation` of the module that is held up. */
  readonly module: string;
  /** 'connection'. */
  readonly kind: string;
  readonly sort: 'root' | 'derived' | 'tally';
  /** How many: 1 for an object, the count for a tally. */
  readonly count: number;
  /** For whom it lives. */
  readonly owner: string;
  /** The place that took the hold. */
  readonly place: string;
  /** Since when, in milliseconds of kernel time, to 10 ms. 0 for a tally. */
  readonly ageMs: number;
  /** The module's own line about it. */
  readonly description: string;
  /** Of the call that took the hold; debug kernels only. */
  readonly stack?: string;
}

/** What a module's generation has in the kernel now. All zero once it is gone. */
export interface ModuleUsage {
  /** Objects by kind, of every policy. */
  readonly objects: Readonly<Record<string, number>>;
  /** All of them together. */
  readonly objectCount: number;
  /** Those that hold up an unload: objects that are waited for, and what tallies count. */
  readonly holds: number;
  /** Armed timers. */
  readonly timers: number;
  /** Poll sources, sysctls, drop reasons, skb slots, counters. */
  readonly handlers: number;
  /** Services and contributions published. */
  readonly bindings: number;
  /** Reckoned bytes of the kernel's own records about it (holds, timers, bindings), not the module's. */
  readonly bytes: number;
}

/** One generation of a module, for `lsmod`. */
export interface ModuleInfo {
  readonly name: string;
  readonly generation: number;
  readonly version: string;
  readonly summary: string;
  readonly state: ModuleState;
  /** `name#generation` of modules that it needs now: its `one` providers, and contributors to its `some` points. */
  readonly needs: readonly string[];
  /** `name#generation` of modules that could not live without it, so that its unload needs `cascade`. */
  readonly neededBy: readonly string[];
  readonly usage: ModuleUsage;
  /** Throws on the packet path so far. */
  readonly throws: number;
  /** Why it leaves or left, where that was not asked for: 'quarantined: …'. */
  readonly trouble: string | undefined;
}

/** What an unload would do. It changes nothing. */
export interface DryRun {
  /** In the order in which they would withdraw: dependents first, `name#generation`. */
  readonly order: readonly string[];
  /** Dependents that must go too; without `cascade` they are refused. */
  readonly cascade: readonly string[];
  /** Services and contributions that users could no longer reach: 'talk#1: Talk'. */
  readonly doors: readonly string[];
  /** Objects that would be parked. */
  readonly parks: readonly HolderInfo[];
  /** What would hold it up. */
  readonly holders: readonly HolderInfo[];
  /** With `force`: the objects that it would close, of whatever module: those at the start of each hold. */
  readonly breaks: readonly HolderInfo[];
  /** Objects that would be closed at the end: the parked and the kept. */
  readonly closes: number;
  /** Why it would be refused as asked, else undefined. */
  readonly refusal: { readonly code: Errno; readonly message: string } | undefined;
}

/** A step of an unload, as its async iterator gives it: one at each change. */
export interface UnloadProgress {
  /** `name#generation`. */
  readonly module: string;
  readonly state: ModuleState;
  /** What is still held, of this module. */
  readonly remaining: number;
  /** What was held when stage 1 began: for a bar. */
  readonly initial: number;
  /** `name#generation` of those that must go before it, as it is when this is read: dependents, and whoever leaves together with it and is still held. */
  readonly waitsFor: readonly string[];
}

/** How an unload ended. */
export interface UnloadReport {
  /** `name#generation` of the module asked for. */
  readonly module: string;
  /** `gone`, or `live` when it was called off. */
  readonly outcome: 'gone' | 'live';
  /** Why it was called off. */
  readonly reason: 'asked' | 'deadline' | 'signal' | undefined;
  /** All that went, in the order in which it went. */
  readonly gone: readonly string[];
  /** Called off: what users closed meanwhile, and so did not come back. */
  readonly closedMeanwhile: readonly HolderInfo[];
  /** Force: the objects that it closed, that would have lived on. */
  readonly broken: readonly HolderInfo[];
  /** Hooks that threw or did not settle, closes that did not release. */
  readonly faults: readonly FaultInfo[];
  /** What the module did not take back itself though only it could: timers armed after `stop`, objects never released. */
  readonly leaks: readonly string[];
}

/** How a shutdown ended. */
export type ShutdownReport = Pick<UnloadReport, 'gone' | 'broken' | 'faults' | 'leaks'>;

/** A hook that failed. */
export interface FaultInfo {
  readonly module: string;
  /** 'start', 'withdraw', 'abort', 'stop', 'close', 'thaw', 'poll' ... */
  readonly hook: string;
  readonly message: string;
}

/** How to unload. */
export interface UnloadOptions {
  /** Unload the modules that need it too, dependents first. Without it their presence is EBUSY. */
  readonly cascade?: boolean;
  /** Close what holds it up, properly, and say what was broken. */
  readonly force?: boolean;
  /** Kernel time, ms, from stage 1 to gone. Default, and Infinity: none, it waits. */
  readonly deadlineMs?: number;
  /** What a deadline that passes means. Default 'abort': back to live. */
  readonly onDeadline?: 'abort' | 'force';
  /** Calls it off: back to live. */
  readonly signal?: AbortSignal;
}

/** An unload under way: a promise of its report, and an async iterator of its progress. */
export interface Unload extends PromiseLike<UnloadReport>, AsyncIterable<UnloadProgress> {
  /** `name#generation`. */
  readonly module: string;
  readonly report: Promise<UnloadReport>;
}

/** How to replace. */
export interface ReplaceOptions {
  /**
   * `handover`: the new generation adopts the objects. `drain`: it takes new work while the old one drains.
   * Default: hand-over where both builds can, else drain. Owners of registries hand over or are refused.
   */
  readonly mode?: 'handover' | 'drain';
  /** Kernel time, ms, after which what the old generation still holds is closed by force. Default: never. */
  readonly forceAfterMs?: number;
}

/** How a replace went. */
export interface ReplaceReport {
  readonly from: string;
  readonly to: string;
  readonly mode: 'handover' | 'drain';
  /** Objects adopted by the new generation, by kind. */
  readonly adopted: Readonly<Record<string, number>>;
  /** The old generation's end; after a hand-over nothing but its tallies can hold it up. */
  readonly drained: Unload;
}
