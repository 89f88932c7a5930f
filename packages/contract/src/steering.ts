import type { FlowKey } from './flow.ts';
import { defineService } from './token.ts';

/**
 * Told when the reader of a flow has moved, so that its packets arrive where it reads (row S6). A **corridor** of
 * netdev, which asks the devices (`DeviceOps.steer`) and steers in software otherwise. Callers: the socket module, when
 * a receive call comes from another shard. Linux's aRFS, with a priority.
 */
export interface FlowSteering {
  /** @param hash the flow's, as in `skb.hash`. @param shard 0 and up. @param priority 0 to 15: which of the shard's queues. */
  readerMoved(key: FlowKey, hash: number, shard: number, priority: number): void;
}
export const FlowSteering = defineService<FlowSteering>({
  name: 'flow-steering',
  version: '1.0.0',
  methods: ['readerMoved'],
  absent: () => ({ readerMoved: () => {} }),
});
