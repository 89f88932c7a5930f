import type { Counter } from './counter.ts';
import type { Owner } from './held.ts';
import { Held } from './held.ts';
import type { SkbPool } from './packet-memory.ts';
import { defineService } from './token.ts';

/** What a pool of one's own is to have. */
export interface PoolSpec {
  /** For lists: the device's name. */
  readonly name: string;
  /** Small buffers and pages, taken from the shared pool and given back at the end. */
  readonly buffers: number;
  readonly pages: number;
}

/** What a pool has, and has out. */
export interface PoolUsage {
  readonly name: string;
  readonly buffers: number;
  readonly buffersIdle: number;
  readonly pages: number;
  readonly pagesIdle: number;
  /** Packets that are out, clones included. */
  readonly skbsOut: number;
  /** What it did since it was made: packets made, clones, pages handed out, bytes of heads that were copied for want of room. */
  readonly counters: Readonly<Record<'allocated' | 'cloned' | 'pages' | 'copiedBytes', Counter>>;
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
