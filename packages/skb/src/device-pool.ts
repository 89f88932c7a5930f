import type { PoolSpec } from '@softnet/contract';
import { NetError, OwnPool } from '@softnet/contract';
import type { PoolAccount } from './account.ts';
import { FreeList } from './free-list.ts';
import { PacketPool } from './pool.ts';
import { Stock } from './stock.ts';

/** A pool that was cut out of another one's stock. */
export class DevicePool extends OwnPool {
  readonly spec: PoolSpec;
  readonly pool: PacketPool;
  readonly #from: Stock;
  readonly #closed: (pool: DevicePool) => void;

  /**
   * @param closed told once, at the end.
   * @throws NetError ENOBUFS, EINVAL.
   */
  constructor(spec: PoolSpec, from: Stock, account: PoolAccount, closed: (pool: DevicePool) => void) {
    super();
    this.spec = spec;
    this.#from = from;
    this.#closed = closed;
    const buffers = cut(spec, 'buffers', from.buffers);
    const pages = cut(spec, 'pages', from.pages);
    buffers.fillFrom(from.buffers, spec.buffers);
    pages.fillFrom(from.pages, spec.pages);
    from.buffers.apart += spec.buffers;
    from.pages.apart += spec.pages;
    this.pool = new PacketPool(spec.name, new Stock(from.slabs, buffers, pages), account);
  }

  close(): void {
    if (this.leave()) this.#closed(this);
  }

  /** The same, and nobody is told. False: it was closed already. */
  leave(): boolean {
    const { stock } = this.pool;
    if (stock.closed) return false;
    stock.bequeath(this.#from);
    this.#from.buffers.apart -= this.spec.buffers;
    this.#from.pages.apart -= this.spec.pages;
    return true;
  }
}

/** An empty list of that size, if as many are idle. */
function cut({ name, ...counts }: PoolSpec, what: 'buffers' | 'pages', idle: FreeList): FreeList {
  const count = counts[what];
  if (!Number.isInteger(count) || count < 0) {
    throw new NetError('EINVAL', `the pool ${name} asks for ${count} ${what}: say a whole number, 0 or more`, { syscall: 'create' });
  }
  if (count > idle.count) {
    const sentence = `the pool ${name} asks for ${count} ${what}, but ${idle.count} are idle: ask for fewer, or raise net.core.skb_${what}`;
    throw new NetError('ENOBUFS', sentence, { syscall: 'create' });
  }
  return new FreeList(count);
}
