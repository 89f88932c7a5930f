import type { ModuleContext, Objects, Owner, PoolSpec, Setting, SoftnetModule } from '@softnet/contract';
import { MemoryAccounts, Module, SkbPool, SkbPools } from '@softnet/contract';
import { PoolAccount } from './account.ts';
import { Accounts } from './accounts.ts';
import { PoolCounters } from './counters.ts';
import { DevicePool } from './device-pool.ts';
import { PacketPool } from './pool.ts';
import { pressureOf, roomOf } from './pressure.ts';
import { BUFFER_BYTES, MAX_BUFFERS, MAX_PAGES, PAGE_BYTES, Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/**
 * Owns the packet memory of a kernel. Packets and pages that are out are tallies, so it goes when the last one has come back.
 * The next generation has memory of its own: new packets are made there, old ones drain to the pool that made them.
 */
@Module({
  name: 'skb',
  version: '1.0.0',
  summary: 'packet memory: slabs, the pools of buffers and pages in them, and who has how much waiting',
  provides: [SkbPool, SkbPools, MemoryAccounts],
})
export class SkbModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #account!: PoolAccount;
  #buffers!: Setting<number>;
  #pages!: Setting<number>;
  #sharedMemory!: Setting<boolean>;
  #vectors!: Setting<boolean>;
  #idlePercent!: Setting<number>;
  #shared!: PacketPool;
  #own!: Objects<DevicePool>;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#account = new PoolAccount(ctx);
    this.#define(ctx);
    this.#shared = new PacketPool('shared', this.#stock(), this.#account, new PoolCounters((name) => ctx.counter(name)));
    this.#own = ctx.objects<DevicePool>('pool', {
      drain: 'wait',
      close: (pool) => pool.close(),
      describe: ({ spec, pool }) => `${spec.name}: ${spec.buffers} buffers, ${spec.pages} pages, ${pool.skbsOut} packets out`,
      freeze: ({ spec: { name, buffers, pages } }) => ({ version: 1, data: { name, buffers, pages } }),
      thaws: [1],
      thaw: ({ data }) => this.#make(data as unknown as PoolSpec),
      left: (pool) => pool.leave(),
    });
    ctx.corridor(SkbPool, this.#shared);
    ctx.corridor(MemoryAccounts, accountsOf(ctx, this.#shared, this.#idlePercent));
    ctx.door(SkbPools, {
      create: (spec, owner, place) => this.#create(spec, owner, place),
      usage: () => [this.#shared.usage, ...Array.from(this.#own, ({ pool }) => pool.usage)],
    });
  }

  stop(): void {
    this.#shared.stock.closed = true;
    this.#account.close();
  }

  #define(ctx: ModuleContext): void {
    const resize = () => this.#resize();
    const { sysctl } = ctx;
    const buffers = `small buffers of ${BUFFER_BYTES} bytes; while packets are out, for the next load`;
    const pages = `pages of ${PAGE_BYTES} bytes; while packets are out, for the next load`;
    this.#buffers = sysctl.define(
      'net.core.skb_buffers',
      { type: 'int', default: 8192, min: 1, max: MAX_BUFFERS, summary: buffers },
      resize,
    );
    this.#pages = sysctl.define('net.core.skb_pages', { type: 'int', default: 8192, min: 1, max: MAX_PAGES, summary: pages }, resize);
    const shared = 'other threads can be given the memory; while packets are out, for the next load';
    this.#sharedMemory = sysctl.define('net.core.skb_shared', { type: 'bool', default: false, summary: shared }, resize);
    const vectors = 'vector instructions, where there are some; while packets are out, for the next load';
    this.#vectors = sysctl.define('net.core.skb_simd', { type: 'bool', default: true, summary: vectors }, resize);
    const pressure = 'percent of small buffers, and of pages, that are to be idle: below, who has much waiting gets no more; 0: off';
    this.#idlePercent = sysctl.define('net.core.skb_pressure', { type: 'int', default: 10, min: 0, max: 50, summary: pressure });
  }

  #stock(): Stock {
    const size = { buffers: this.#buffers.value, pages: this.#pages.value };
    return new Stock(new Slabs(size, { shared: this.#sharedMemory.value, vectors: this.#vectors.value }));
  }

  /** Whether the memory is as the settings say: those that were given before the load are told once more when it is live. */
  #fits({ size, kind }: Slabs): boolean {
    const asBig = size.buffers === this.#buffers.value && size.pages === this.#pages.value;
    return asBig && kind.shared === this.#sharedMemory.value && kind.vectors === this.#vectors.value;
  }

  /** A setting was changed, or carried over from the last generation in the tick in which this one goes live. */
  #resize(): void {
    if (this.#fits(this.#shared.stock.slabs)) return;
    if (!this.#shared.idle) {
      this.#ctx.log.info('packets are out: new packet memory is made with the next load');
      return;
    }
    try {
      this.#shared.restock(this.#stock());
    } catch (error) {
      this.#ctx.log.warn('packet memory stays as it was', { error: String(error) });
    }
  }

  #create(spec: PoolSpec, owner: Owner, place: string): DevicePool {
    const pool = this.#make(spec);
    try {
      this.#own.hold(pool, owner, place);
    } catch (error) {
      pool.leave();
      throw error;
    }
    return pool;
  }

  #make(spec: PoolSpec): DevicePool {
    return new DevicePool(spec, this.#shared.stock, this.#account, (pool) => this.#own.release(pool));
  }
}

/** Asked for each packet, so by a function of its own: private fields of a decorated class are looked up in a table, once built. */
function accountsOf(ctx: ModuleContext, pool: PacketPool, idlePercent: Setting<number>): Accounts {
  return new Accounts(
    ctx.port(MemoryAccounts),
    () => pressureOf(pool, idlePercent.value),
    () => roomOf(pool),
  );
}
