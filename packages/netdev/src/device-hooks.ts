import type { HookOkay, HookPointSpec } from '@softnet/contract';
import { HOOK_FAMILY, HookChain } from '@softnet/contract';

/** What both points have in common. */
export type HookSource = Pick<HookPointSpec, 'hooks' | 'queue' | 'current' | 'lost'>;

/** The hooks of devices at one point, and what follows them. */
export function deviceHooks(source: HookSource, point: number, okay: HookOkay): HookChain {
  return new HookChain({ ...source, family: HOOK_FAMILY.NETDEV, point, okay });
}

/** Hooks have come or gone: lets go of those that went; the next packet finds those that are there. */
export function forgetHooks(chain: HookChain): void {
  if (chain.seen === chain.spec.hooks.items) return;
  chain.seen = null;
  chain.hooks = [];
  chain.owners = [];
}
