import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SkbPool } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import type { PacketPool } from '@softnet/skb';
import { copyIn, SkbModule, SkbReader, sumOf } from '@softnet/skb';
import { describe, expect, test } from 'vitest';
import { bundled } from '../bundled.ts';
import type { Shown } from './summing-worker.ts';

async function loaded() {
  const world = new World({ seed: 1 });
  const kernel = new Kernel({ name: 'memory', world });
  await world.run(kernel.load(SkbModule));
  const pool = kernel.port(SkbPool);
  /** Of a packet that is made now. */
  const memory = () => {
    const skb = pool.current.alloc(0, 1)!;
    pool.current.release(skb);
    return skb.memory;
  };
  return { world, kernel, pool, memory };
}

describe('packet memory', () => {
  test('is another thread’s too, in place, when it is shared', async () => {
    const { kernel, pool, world } = await loaded();
    kernel.sysctl.set('net.core.skb_shared', true);
    const skb = pool.current.alloc(63, 1401)!;
    copyIn(
      skb,
      Uint8Array.from({ length: 1400 }, (_, i) => i * 37 + (i >> 8)),
    );
    const reader = new SkbReader();
    reader.open(skb);
    const sum = sumOf(reader);
    const { wasm, bytes } = (skb.memory.pool as PacketPool).stock.slabs;
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);

    const shown: Shown = { memory: wasm as Shown['memory'], offset: skb.data, end: skb.tail };
    const worker = new Worker(await bundled(resolve(import.meta.dirname, 'summing-worker.ts')), { eval: true, workerData: shown });
    const said = await new Promise((done, fail) => worker.once('message', done).once('error', fail));
    await new Promise((done) => worker.once('exit', done));
    expect(said).toEqual({ plain: sum, vectors: sum });
    expect(bytes[skb.tail]).toBe(0xd7);

    pool.current.release(skb);
    await world.run(kernel.shutdown());
  });

  test('is of the kind that was set, at once while nothing is out, else from the next load on', async () => {
    const { kernel, pool, world, memory } = await loaded();
    const kind = () => [memory().bytes.buffer instanceof SharedArrayBuffer, memory().bulk !== null];
    expect(kind()).toEqual([false, true]);
    kernel.sysctl.set('net.core.skb_simd', false);
    expect(kind()).toEqual([false, false]);
    const out = pool.current.alloc(0, 1)!;
    kernel.sysctl.set('net.core.skb_shared', true);
    expect(kind()).toEqual([false, false]);
    const { drained } = await world.run(kernel.replace('skb', SkbModule, { mode: 'drain' }));
    expect(kind()).toEqual([true, false]);
    kernel.sysctl.set('net.core.skb_simd', true);
    expect(kind()).toEqual([true, true]);
    out.memory.pool.release(out);
    await world.run(drained);
  });
});
