import type { DropReason } from './counter.ts';
import type { NetDevice } from './device.ts';
import type { HookChain } from './hook-chain.ts';
import type { Skb } from './skb.ts';
import { definePoint, defineService } from './token.ts';

/** What a hook says. Linux's `NF_*`. */
export const VERDICT = Object.freeze({
  /** The chain drops it, under the hook's reason. */
  DROP: 0,
  ACCEPT: 1,
  /** The hook has it now: it frees it, or gives it back by `resumeHooks`. */
  STOLEN: 2,
  /** To the {@link HookQueue} whose number is in the upper half: see {@link queueVerdict}. */
  QUEUE: 3,
  /** Ask this hook again: it changed the packet. */
  REPEAT: 4,
} as const);

/** With QUEUE: accept when nobody listens to the queue, instead of dropping. Linux's `NF_VERDICT_FLAG_QUEUE_BYPASS`. */
export const QUEUE_BYPASS = 0x8000;

/** QUEUE to this queue, 0 to 65535. */
export function queueVerdict(queue: number, bypass: boolean): number {
  return (queue << 16) | (bypass ? QUEUE_BYPASS : 0) | VERDICT.QUEUE;
}

/** Whose packets a hook sees: its owner's own view of the packet. Linux's `NFPROTO_*`. Open. */
export const HOOK_FAMILY = Object.freeze({ IPV4: 2, ARP: 3, NETDEV: 5, BRIDGE: 7, IPV6: 10 } as const);

/** Where on the way. The first five are layers'; ingress and egress are devices'. Open. */
export const HOOK_POINT = Object.freeze({
  PREROUTING: 0,
  INPUT: 1,
  FORWARD: 2,
  OUTPUT: 3,
  POSTROUTING: 4,
  INGRESS: 5,
  EGRESS: 6,
} as const);

/** Order at a point, lowest first. Linux's `NF_IP_PRI_*`. Any int32 between them. */
export const HOOK_PRIORITY = Object.freeze({
  FIRST: -0x80000000,
  DEFRAG: -400,
  RAW: -300,
  CONNTRACK: -200,
  MANGLE: -150,
  NAT_DST: -100,
  FILTER: 0,
  SECURITY: 50,
  NAT_SRC: 100,
  CONNTRACK_CONFIRM: 0x7fffffff,
} as const);

/**
 * A function at a point of the packet's way. Contributed as a **corridor** by what has state of existing flows
 * (conntrack, NAT), as a **door** by what only judges new packets. Linux's `struct nf_hook_ops`.
 */
export interface Hook {
  /** 'conntrack.in': for lists. */
  readonly name: string;
  readonly family: number;
  readonly point: number;
  readonly priority: number;
  /** Under which DROP is counted. */
  readonly reason: DropReason;
  /**
   * Looks at a packet whose `network` is set. Returns one of {@link VERDICT}.
   * @param chain where it is, for `resumeHooks`.
   * @param input device that it came in by; null on the way out. `output`: that it leaves by; null on the way in.
   */
  run(skb: Skb, chain: HookChain, input: NetDevice | null, output: NetDevice | null): number;
}
export const Hook = definePoint<Hook>({ name: 'hook', version: '1.0.0' });

/**
 * Keeps packets for a program's verdict. A **corridor**; it counts what it keeps by a tally of its own. Gives them back
 * by `resumeHooks(…, after = hook)`. Linux's `nf_queue_handler`.
 */
export interface HookQueue {
  /** Takes the packet; false: nobody listens to this queue, or it is full. */
  enqueue(skb: Skb, queue: number, chain: HookChain, hook: Hook, input: NetDevice | null, output: NetDevice | null): boolean;
}
export const HookQueue = defineService<HookQueue>({
  name: 'hook-queue',
  version: '1.0.0',
  methods: ['enqueue'],
  absent: () => ({ enqueue: () => false }),
});
