import { MEMORY_PRESSURE } from '@softnet/contract';
import type { FreeList } from './free-list.ts';
import type { PacketPool } from './pool.ts';
import { PAGE_TRUESIZE, SKB_BYTES } from './records.ts';
import { BUFFER_BYTES } from './slabs.ts';

const { NONE, LOW, CRITICAL } = MEMORY_PRESSURE;

/** Memory is critical when less than this part is idle of what must be. */
const CRITICAL_PART = 4;

/**
 * How scarce the memory of a pool is: of its small buffers or of its pages, whichever there are fewer. Nothing is kept, so there is
 * nothing that could be wrong: two comparisons each time.
 * @param idlePercent of the pool that must stay idle; 0: it may be used up.
 */
export function pressureOf({ stock }: PacketPool, idlePercent: number): number {
  return Math.max(scarcity(stock.buffers, idlePercent), scarcity(stock.pages, idlePercent));
}

/** Truesize of all packets that a pool can have out, of small buffers or of pages, whichever are less. */
export function roomOf({ stock: { buffers, pages } }: PacketPool): number {
  return Math.min(buffers.full * (BUFFER_BYTES + SKB_BYTES), pages.full * PAGE_TRUESIZE);
}

function scarcity({ count, full }: FreeList, idlePercent: number): number {
  const mustBe = full * idlePercent;
  const is = count * 100;
  if (is >= mustBe) return NONE;
  return is * CRITICAL_PART >= mustBe ? LOW : CRITICAL;
}
