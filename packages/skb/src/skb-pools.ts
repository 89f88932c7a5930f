import type { Owner, SkbPool } from '@softnet/contract';
import { defineService, Held } from '@softnet/contract';
import type { PoolUsage } from './counters.ts';

/** What a pool of one's own is to have. */
export interface PoolSpec {
  /** For lists: the device's name. */
  readonly name: string;
  /** Small buffers and pages, taken from the shared pool and given back at the end. */
  readonly buffers: number;
  readonly pages: number;
}

/**
 * A pool of somebody's own: a device's receive buffers (row S4), which nobody else can use up. When the module is replaced, its
 * owner is told of another one (`moved`); packets of the old one go back to where they came from.
 */
export abstract class OwnPool extends Held {
  abstract readonly spec: PoolSpec;
  abstract readonly pool: SkbPool;
  /** It makes nothing any more; what is out comes back in its time. Idempotent. */
  abstract close(): void;
}

/** Sets buffers apart. A **door**. Callers: drivers, and who shows the pools. */
export interface SkbPools {
  /** @throws NetError ENOBUFS when the shared pool has not so many idle, EINVAL for sizes that are no counts. */
  create(spec: PoolSpec, owner: Owner, place: string): OwnPool;
  /** The shared pool first. */
  usage(): readonly PoolUsage[];
}
export const SkbPools = defineService<SkbPools>({ name: 'skb-pools', version: '1.0.0', errno: 'ENOBUFS' });
