import type { Held, ModuleContext, Notice, Owner, OwnPool, Skb, SoftnetModule } from '@softnet/contract';
import {
  CurrentOwner,
  DropReason,
  DropWatch,
  defineService,
  dequeue,
  enqueue,
  Module,
  NetDevice,
  SkbPool,
  SkbPools,
  SkbQueue,
} from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { Kernel, World } from '@softnet/kernel';
import { copyIn, push, put, ReceiveBuffers, SkbModule, SkbReader, split } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { checkPattern, complianceChecks, pattern } from '@softnet/testkit';
import { etherLink } from '@softnet/wire';
import { describe, expect, test, vi } from 'vitest';

/** Kernel time for programs. */
interface Sleep {
  us(delayUs: number): Promise<void>;
}
const Sleep = defineService<Sleep>({ name: 'test-sleep', version: '1.0.0' });

@Module({ name: 'test-sleep', version: '1.0.0', provides: [Sleep] })
class SleepModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    ctx.corridor(Sleep, {
      us: (delayUs) => new Promise((resolve) => ctx.timer((done: () => void) => done(), resolve as () => void, 'sleep').arm(delayUs)),
    });
  }
}

/** Bytes of a packet: its header, what fits behind it, and two pages. */
const BYTES = 9000;

/** A driver with a pool of its own: packets go through its ring, each byte checked. It follows its pool to the next generation. */
class Ring implements Owner {
  readonly name: string;
  readonly #queue = new SkbQueue();
  readonly #reader = new SkbReader();
  readonly #kernel: Kernel;
  #own: OwnPool | null;
  #sent = 0;

  constructor(kernel: Kernel, name: string) {
    this.#kernel = kernel;
    this.name = name;
    this.#own = kernel.port(SkbPools).current.create({ name, buffers: 8, pages: 16 }, this, 'ring.open');
  }

  notice({ sort, object }: Notice): void {
    if (sort === 'moved') this.#own = object as Held as OwnPool;
    if (sort !== 'closed') return;
    this.#own = null;
    this.#empty();
  }

  /** Four packets in, some time on the ring, out again; two come from the shared pool. */
  async exchange(): Promise<number> {
    const from = this.#sent;
    for (let i = 0; i < 4; i++) this.#fill(i % 2 === 0);
    await this.#kernel.port(Sleep).current.us(1000);
    let moved = 0;
    for (let skb = dequeue(this.#queue); skb !== null; skb = dequeue(this.#queue)) moved += this.#drain(skb, from + moved);
    if (this.#own === null) throw new Error(`${this.name} has no pool any more`);
    return moved;
  }

  close(): void {
    this.#empty();
    this.#own?.close();
    this.#own = null;
  }

  #fill(own: boolean): void {
    if (this.#own === null) throw new Error(`${this.name} has no pool any more`);
    const pool = own ? this.#own.pool : this.#kernel.port(SkbPool).current;
    const skb = pool.alloc(64, 1000)!;
    if (!copyIn(skb, pattern(1, this.#sent, BYTES))) throw new Error('no pages');
    skb.memory.view.setInt32(push(skb, 4), BYTES);
    this.#sent += BYTES;
    enqueue(this.#queue, skb);
  }

  #drain(skb: Skb, from: number): number {
    const clone = skb.memory.pool.clone(skb)!;
    skb.memory.pool.release(skb);
    const bytes = new Uint8Array(BYTES);
    this.#reader.open(clone);
    expect(this.#reader.u32()).toBe(BYTES);
    this.#reader.copyOut(bytes);
    checkPattern(1, from, bytes);
    clone.memory.pool.release(clone);
    return bytes.length;
  }

  #empty(): void {
    for (let skb = dequeue(this.#queue); skb !== null; skb = dequeue(this.#queue)) skb.memory.pool.release(skb);
  }
}

async function ringTraffic([kernel]: readonly Kernel[]): Promise<Traffic> {
  const rings: Ring[] = [];
  const open = (): void => void rings.push(new Ring(kernel!, `ring${rings.length}`));
  open();
  open();
  return {
    exchange: async () => (await Promise.all(rings.map((ring) => ring.exchange()))).reduce((sum, count) => sum + count, 0),
    openAnother: async () => open(),
    close: async () => {
      for (const ring of rings) ring.close();
    },
  };
}

const NOT_APPLICABLE = ['it goes at once', 'parked objects are silent, and live again', 'code is collected'];

describe('skb complies', () => {
  test.each(complianceChecks({ source: SkbModule, needs: [SleepModule], traffic: ringTraffic }))('$name', async ({ name, run }) => {
    const { applies, sentence } = await run();
    expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
  });
});

/** A kernel with the module in it. */
async function loaded() {
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'k' });
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  await run(kernel.load(SkbModule));
  return { world, kernel, run, pool: kernel.port(SkbPool), pools: kernel.port(SkbPools) };
}

describe('the module', () => {
  test('waits by name and count for what is out, which can be sent on meanwhile', async () => {
    const { world, kernel, run, pool } = await loaded();
    const skb = pool.current.alloc(64, 1000)!;
    const fragment = pool.current.page(10)!;
    const unload = kernel.unload('skb');
    await world.advance(1_000_000);
    expect(kernel.holders('skb').map(({ description, place }) => `${description} at ${place}`)).toEqual([
      '1 skb at skb.pool',
      '1 page at skb.pool',
    ]);
    const late = pool.current.alloc(0, 10)!;
    expect(late.memory.pool).toBe(skb.memory.pool);
    for (const each of [skb, late]) each.memory.pool.release(each);
    expect(kernel.module('skb')?.state).toBe('draining');
    fragment.source.release(fragment);
    expect((await run(unload)).outcome).toBe('gone');
    expect(pool.current.alloc(0, 10)).toBeNull();
  });

  test('replaced: new packets come from the new pool, old ones drain to the old', async () => {
    const { kernel, run, pool } = await loaded();
    const old = pool.current.alloc(64, 100)!;
    put(old, 100);
    const { drained } = await run(kernel.replace('skb', SkbModule, { mode: 'drain' }));
    const young = pool.current.alloc(64, 100)!;
    expect(young.memory.bytes.buffer).not.toBe(old.memory.bytes.buffer);
    const clone = pool.current.clone(old)!;
    expect(clone.memory).toBe(old.memory);
    expect(kernel.holders('skb#1').map(({ description }) => description)).toEqual(['2 skb']);
    pool.current.release(old);
    pool.current.release(clone);
    expect((await run(drained)).outcome).toBe('gone');
    expect(kernel.holders('skb').map(({ description }) => description)).toEqual(['1 skb']);
    pool.current.release(young);
    await run(kernel.shutdown());
    expect(kernel.modules()).toEqual([]);
  });

  test('takes what a force wrote off, when it comes back after all', async () => {
    const { world, kernel, run, pool } = await loaded();
    const skb = pool.current.alloc(0, 10)!;
    const unload = kernel.unload('skb', { force: true });
    await world.advance(10_000_000);
    expect((await run(unload)).broken.map(({ description }) => description)).toEqual(['1 skb']);
    const own = skb.memory.pool;
    expect(own.alloc(0, 1)).toBeNull();
    const clone = own.clone(skb)!;
    for (const each of [skb, clone]) own.release(each);
    expect([skb.head, clone.head]).toEqual([-1, -1]);
  });

  test('has the size that was set, at once while nothing is out, else from the next load on', async () => {
    const { kernel, run, pool, pools } = await loaded();
    const sizes = () => pools.current.usage().map(({ name, buffers, pages }) => `${name} ${buffers} ${pages}`);
    expect(sizes()).toEqual(['shared 8192 8192']);
    kernel.sysctl.set('net.core.skb_buffers', 2);
    kernel.sysctl.set('net.core.skb_pages', 1);
    expect(sizes()).toEqual(['shared 2 1']);
    const out = [pool.current.alloc(0, 1)!, pool.current.alloc(0, 1)!];
    expect(pool.current.alloc(0, 1)).toBeNull();
    expect(kernel.dropReasons().find(({ name }) => name === 'skb.no-buffer')?.count).toBe(1);
    kernel.sysctl.set('net.core.skb_buffers', 3);
    expect(sizes()).toEqual(['shared 2 1']);
    const { drained } = await run(kernel.replace('skb', SkbModule, { mode: 'drain' }));
    expect(sizes()).toEqual(['shared 3 1']);
    for (const skb of out) skb.memory.pool.release(skb);
    await run(drained);
    expect(kernel.counters().find(({ name }) => name === 'skb.allocated')).toMatchObject({ module: 'skb#2', value: 0 });
  });

  test('makes its memory once, as the settings say that were there before it, and anew for a change alone', async () => {
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: { Memory(): void } };
    const made = vi.spyOn(WebAssembly, 'Memory');
    const settings = { 'net.core.skb_buffers': 4, 'net.core.skb_pages': 2, 'net.core.skb_simd': false };
    const kernel = new Kernel({ world: new World({ clock: 'virtual' }), settings });
    await kernel.world.run(kernel.load(SkbModule));
    expect(made).toHaveBeenCalledTimes(1);
    for (const [at, [name, value]] of Object.entries({ ...settings, 'net.core.skb_pages': 3 }).entries()) {
      kernel.sysctl.set(name, value);
      expect(made, name).toHaveBeenCalledTimes(at === 0 ? 1 : 2);
    }
    kernel.sysctl.set('net.core.skb_simd', true);
    kernel.sysctl.set('net.core.skb_shared', true);
    expect(made).toHaveBeenCalledTimes(4);
    made.mockRestore();
  });

  test('sets buffers apart, and has them back, what is out when it comes', async () => {
    const { kernel, pool, pools } = await loaded();
    kernel.sysctl.set('net.core.skb_buffers', 4);
    kernel.sysctl.set('net.core.skb_pages', 4);
    const owner = { name: 'eth0' };
    const idle = () => pools.current.usage().map(({ buffersIdle, pagesIdle }) => [buffersIdle, pagesIdle]);
    const own = pools.current.create({ name: 'eth0', buffers: 3, pages: 1 }, owner, 'test');
    expect(idle()).toEqual([
      [1, 3],
      [3, 1],
    ]);
    expect(() => pools.current.create({ name: 'eth1', buffers: 2, pages: 0 }, owner, 'test')).toThrow(
      'ENOBUFS: the pool eth1 asks for 2 buffers, but 1 are idle: ask for fewer, or raise net.core.skb_buffers',
    );
    expect(() => pools.current.create({ name: 'eth1', buffers: 0.5, pages: 0 }, owner, 'test')).toThrow(
      'EINVAL: the pool eth1 asks for 0.5 buffers',
    );
    const skb = own.pool.alloc(0, 10)!;
    expect(own.pool.alloc(0, 3000)).not.toBeNull();
    expect(own.pool.page(1)).toBeNull();
    own.close();
    own.close();
    expect(idle()).toEqual([[3, 3]]);
    expect(own.pool.alloc(0, 10)).toBeNull();
    pool.current.release(skb);
    expect(idle()).toEqual([[4, 3]]);
    expect(pool.current.alloc(0, 10)).not.toBeNull();
  });

  test('a device receives into its own pool, and each buffer and page comes back to it, whoever has it last', async () => {
    const { kernel, run, pool, pools } = await loaded();
    const own = pools.current.create({ name: 'eth0', buffers: 2, pages: 3 }, { name: 'eth0' }, 'test');
    const memory = {
      get current() {
        return own.pool;
      },
    };
    const buffers = new ReceiveBuffers(memory, null, new CurrentOwner());
    const device = new NetDevice({ open: () => {}, stop: () => {}, transmit: () => {} }, etherLink);
    const idle = () => pools.current.usage().map(({ buffersIdle, pagesIdle }) => [buffersIdle, pagesIdle]);
    const shared = [8190, 8189];
    for (let round = 0; round < 5; round++) {
      const skb = buffers.fromBytes(device, pattern(1, 0, 9000))!;
      expect(idle()).toEqual([shared, [1, 1]]);
      const clone = pool.current.clone(skb)!;
      const rest = split(clone, 4000)!;
      pool.current.release(skb);
      expect(buffers.fromBytes(device, pattern(1, 0, 9000))).toBeNull();
      pool.current.release(clone);
      const first = pool.current.dissolve(rest)!;
      first.next!.source.release(first.next!);
      first.source.release(first);
      expect(idle()).toEqual([shared, [2, 3]]);
    }
    own.close();
    await run(kernel.unload('skb'));
  });

  test('replaced by hand-over: the owner of a pool has one of the same size, and the old one makes nothing any more', async () => {
    const { kernel, run, pools } = await loaded();
    const moved: Held[] = [];
    const owner: Owner = { name: 'eth0', notice: ({ sort, object }) => void (sort === 'moved' && moved.push(object)) };
    const old = pools.current.create({ name: 'eth0', buffers: 3, pages: 2 }, owner, 'test');
    const skb = old.pool.alloc(0, 1)!;
    const { mode, adopted, drained } = await run(kernel.replace('skb', SkbModule, { mode: 'handover' }));
    expect([mode, adopted]).toEqual(['handover', { pool: 1 }]);
    const [young] = moved as OwnPool[];
    expect(young!.spec).toEqual({ name: 'eth0', buffers: 3, pages: 2 });
    expect([old.pool.alloc(0, 1), old.pool.page(1)]).toEqual([null, null]);
    young!.pool.release(skb);
    expect((await run(drained)).outcome).toBe('gone');
    expect(pools.current.usage().map(({ name, buffers, buffersIdle }) => [name, buffers, buffersIdle])).toEqual([
      ['shared', 8192, 8189],
      ['eth0', 3, 3],
    ]);
    young!.close();
    await run(kernel.unload('skb'));
  });

  test('allocates nothing for a packet through the port once warm, debug build and all', async () => {
    const { pool } = await loaded();
    const payload = new Uint8Array(1400);
    const bytes = heapPerCall(1, () => {
      const skb = pool.current.alloc(64, 1400)!;
      skb.memory.bytes.set(payload, put(skb, 1400));
      skb.memory.pool.release(skb);
    });
    expect(bytes).toBeLessThan(1);
  });

  test('shows what is dropped to who watches, as its own owner', async () => {
    const { kernel, run, pool } = await loaded();
    const seen: string[] = [];
    @Module({ name: 'watch', version: '1.0.0', provides: [DropWatch] })
    class Watch implements SoftnetModule {
      start(ctx: ModuleContext): void {
        const dropped = (skb: Skb, { name }: { name: string }): void =>
          void seen.push(`${name}: ${skb.len} bytes, owner ${ctx.current.id === ctx.owner}`);
        ctx.contribute(DropWatch, { dropped }, 'corridor');
      }
    }
    await run(kernel.load(Watch));
    const skb = pool.current.alloc(0, 10)!;
    put(skb, 7);
    skb.memory.pool.drop(skb, new DropReason(1, 'watch.test', 'a test'));
    expect(seen).toEqual(['watch.test: 7 bytes, owner true']);
  });
});
