import type { DropReason } from './counter.ts';
import type { NetDevice } from './device.ts';
import { TRANSMIT } from './dst.ts';
import type { Hook, HookQueue } from './hook.ts';
import { QUEUE_BYPASS, VERDICT } from './hook.ts';
import type { Contributions, CurrentOwner, Port } from './port.ts';
import type { Skb } from './skb.ts';

/** Where packets go that no hook kept: the rest of the layer's way. Returns one of `TRANSMIT`. */
export type HookOkay = (skb: Skb, input: NetDevice | null, output: NetDevice | null) => number;

/** What the owner of a point says of it. */
export interface HookPointSpec {
  readonly family: number;
  readonly point: number;
  /** `ctx.contributions(Hook)`. */
  readonly hooks: Contributions<Hook>;
  /** `ctx.port(HookQueue)`. */
  readonly queue: Port<HookQueue>;
  readonly current: CurrentOwner;
  readonly okay: HookOkay;
  /** For packets that come back after the point has closed, or that a hook repeats for ever. */
  readonly lost: DropReason;
}

/**
 * One point of a packet's way, kept by the layer (or netdev) whose way it is: the hooks of that family and point, in
 * order of priority, and what follows them. Linux's `struct nf_hook_entries`.
 */
export class HookChain {
  readonly spec: HookPointSpec;
  /** The contributions that `hooks` was made from. */
  seen: readonly Hook[] | null = null;
  /** Sorted; replaced whole. */
  hooks: readonly Hook[] = [];
  owners: readonly number[] = [];
  /** False when the layer has stopped: packets that come back are dropped. */
  open = true;

  constructor(spec: HookPointSpec) {
    this.spec = spec;
  }
}

/** How often a hook may say REPEAT of one packet. */
const MAX_REPEATS = 8;

/** Leads a packet through all hooks of a point, then on. The chain has the skb now. Linux's `NF_HOOK`. */
export function runHooks(chain: HookChain, skb: Skb, input: NetDevice | null, output: NetDevice | null): number {
  if (chain.seen !== chain.spec.hooks.items) refresh(chain);
  if (chain.hooks.length === 0) return chain.spec.okay(skb, input, output);
  return walk(chain, 0, skb, input, output);
}

/**
 * Gives a packet that was STOLEN or QUEUEd back, to go on behind the hook that took it. The hooks may have changed
 * since: if it is gone, the packet goes on at its priority, so that none is skipped. Linux's `nf_reinject`.
 */
export function resumeHooks(chain: HookChain, after: Hook, skb: Skb, input: NetDevice | null, output: NetDevice | null): number {
  if (!chain.open) return drop(skb, chain.spec.lost);
  if (chain.seen !== chain.spec.hooks.items) refresh(chain);
  return walk(chain, indexBehind(chain.hooks, after), skb, input, output);
}

/** Hooks `from` and on of the chain as it now is: the arrays are replaced, never changed, while a packet walks. */
function walk(chain: HookChain, from: number, skb: Skb, input: NetDevice | null, output: NetDevice | null): number {
  const { hooks, owners } = chain;
  const { current, queue, lost, okay } = chain.spec;
  const caller = current.id;
  let repeats = 0;
  for (let i = from; i < hooks.length; i++) {
    const hook = hooks[i]!;
    current.id = owners[i]!;
    const verdict = hook.run(skb, chain, input, output);
    current.id = caller;
    if (verdict === VERDICT.ACCEPT) {
      repeats = 0;
      continue;
    }
    if (verdict === VERDICT.STOLEN) return TRANSMIT.OK;
    if (verdict === VERDICT.REPEAT) {
      if (++repeats > MAX_REPEATS) return drop(skb, lost);
      i--;
      continue;
    }
    if ((verdict & 0xff) !== VERDICT.QUEUE) return drop(skb, hook.reason);
    if (queue.current.enqueue(skb, verdict >>> 16, chain, hook, input, output)) return TRANSMIT.OK;
    if ((verdict & QUEUE_BYPASS) === 0) return drop(skb, hook.reason);
  }
  return okay(skb, input, output);
}

function drop(skb: Skb, reason: DropReason): number {
  skb.memory.pool.drop(skb, reason);
  return TRANSMIT.DROPPED;
}

function indexBehind(hooks: readonly Hook[], after: Hook): number {
  const index = hooks.indexOf(after);
  if (index >= 0) return index + 1;
  const next = hooks.findIndex((hook) => hook.priority >= after.priority);
  return next < 0 ? hooks.length : next;
}

/** At a change only: hooks of equal priority stay in the order in which they came. */
function refresh(chain: HookChain): void {
  const { family, point, hooks } = chain.spec;
  const { items, owners } = hooks;
  const order = items.map((_, i) => i).filter((i) => items[i]!.family === family && items[i]!.point === point);
  order.sort((a, b) => items[a]!.priority - items[b]!.priority || a - b);
  chain.hooks = order.map((i) => items[i]!);
  chain.owners = order.map((i) => owners[i]!);
  chain.seen = items;
}
