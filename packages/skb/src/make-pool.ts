import { PoolAccount } from './account.ts';
import { PacketPool } from './pool.ts';
import type { SlabKind, SlabSize } from './slabs.ts';
import { Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/** A pool without a kernel: for tests of protocols, and tools. @throws NetError ENOMEM. */
export function makePool(size: SlabSize = { buffers: 64, pages: 64 }, name = 'pool', kind: SlabKind = {}): PacketPool {
  return new PacketPool(name, new Stock(new Slabs(size, kind)), new PoolAccount(null));
}
