import type { Contributions, DropReason, HookOkay, HookPointSpec, ModuleContext, Port, HookQueue as Queue } from '@softnet/contract';
import { HOOK_POINT, Hook, HookChain, HookQueue } from '@softnet/contract';

/** What follows each point when no hook kept the packet. Each takes it, and returns one of `TRANSMIT`. */
export interface LayerSteps {
  readonly prerouting: HookOkay;
  readonly input: HookOkay;
  readonly forward: HookOkay;
  readonly output: HookOkay;
  readonly postrouting: HookOkay;
}

/**
 * The five points of a network layer that hooks stand at (Linux's `NF_INET_*`). The layer leads packets through them by the
 * contract's `runHooks`; its module requires `optional(HookQueue)`.
 */
export class LayerHooks {
  readonly prerouting: HookChain;
  readonly input: HookChain;
  readonly forward: HookChain;
  readonly output: HookChain;
  readonly postrouting: HookChain;

  /**
   * @param family one of `HOOK_FAMILY`.
   * @param lost for packets that come back when the layer has stopped, or that a hook repeats for ever.
   */
  constructor(ctx: ModuleContext, family: number, steps: LayerSteps, lost: DropReason) {
    const hooks: Contributions<Hook> = ctx.contributions(Hook);
    const queue: Port<Queue> = ctx.port(HookQueue);
    const rest: Omit<HookPointSpec, 'point' | 'okay'> = { family, hooks, queue, current: ctx.current, lost };
    this.prerouting = new HookChain({ ...rest, point: HOOK_POINT.PREROUTING, okay: steps.prerouting });
    this.input = new HookChain({ ...rest, point: HOOK_POINT.INPUT, okay: steps.input });
    this.forward = new HookChain({ ...rest, point: HOOK_POINT.FORWARD, okay: steps.forward });
    this.output = new HookChain({ ...rest, point: HOOK_POINT.OUTPUT, okay: steps.output });
    this.postrouting = new HookChain({ ...rest, point: HOOK_POINT.POSTROUTING, okay: steps.postrouting });
  }

  /** The layer stops: packets that hooks give back from here on are dropped. */
  close(): void {
    for (const chain of [this.prerouting, this.input, this.forward, this.output, this.postrouting]) chain.open = false;
  }
}
