import type { Skb } from '@softnet/contract';
import { SkbPool } from '@softnet/contract';
import { copyIn, makePool, pull, push, put, SkbModule } from '@softnet/skb';
import { virtualKernel } from '../kernel/bench-kernel.ts';
import type { Loop } from '../span.ts';

/** As many are out at any time. A power of two. */
const OUT = 64;

function filled(): Skb {
  const skb = makePool().alloc(64, 1500)!;
  put(skb, 100);
  return skb;
}

/** Makes a packet and frees the oldest of 64. */
export function poolLoop(fillBytes: number): Loop {
  const pool = makePool({ buffers: 2 * OUT, pages: 1 });
  const payload = new Uint8Array(fillBytes).fill(7);
  const out = Array.from({ length: OUT }, () => pool.alloc(64, 1500)!);
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      pool.release(out[i & (OUT - 1)]!);
      const skb = pool.alloc(64, 1500)!;
      if (fillBytes > 0) skb.memory.bytes.set(payload, put(skb, fillBytes));
      sum += skb.data;
      out[i & (OUT - 1)] = skb;
    }
    return sum;
  };
}

export async function kernelPoolLoop(): Promise<Loop> {
  const kernel = virtualKernel();
  await kernel.world.run(kernel.load(SkbModule));
  const port = kernel.port(SkbPool);
  const out = Array.from({ length: OUT }, () => port.current.alloc(64, 1500)!);
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const old = out[i & (OUT - 1)]!;
      old.memory.pool.release(old);
      const skb = port.current.alloc(64, 1500)!;
      sum += skb.data;
      out[i & (OUT - 1)] = skb;
    }
    return sum;
  };
}

/** What a Node program does: a Buffer for each packet, and an object that says where its parts are. */
export function bufferLoop(fillBytes: number): Loop {
  const payload = new Uint8Array(fillBytes).fill(7);
  const make = () => ({ bytes: Buffer.allocUnsafe(1564), data: 64, tail: 64, mac: -1, network: -1, transport: -1, next: null });
  const out = Array.from({ length: OUT }, make);
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const packet = make();
      if (fillBytes > 0) packet.bytes.set(payload, packet.tail);
      sum += packet.data;
      out[i & (OUT - 1)] = packet;
    }
    return sum;
  };
}

const BIG_BYTES = 13_000;

export function cloneLoop(): Loop {
  const pool = makePool();
  const skb = pool.alloc(64, 1000)!;
  copyIn(skb, new Uint8Array(BIG_BYTES));
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const clone = pool.clone(skb)!;
      sum += clone.len;
      pool.release(clone);
    }
    return sum;
  };
}

export function copyLoop(): Loop {
  const bytes = Buffer.alloc(BIG_BYTES);
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Buffer.from(bytes).length;
    return sum;
  };
}

export function editLoop(): Loop {
  const skb = filled();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      sum += push(skb, 8) + push(skb, 20) + push(skb, 14);
      sum += pull(skb, 14) + pull(skb, 20) + pull(skb, 8);
    }
    return sum;
  };
}

export function byHandLoop(): Loop {
  const skb = filled();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      skb.data -= 8;
      skb.len += 8;
      sum += skb.data;
      skb.data -= 20;
      skb.len += 20;
      sum += skb.data;
      skb.data -= 14;
      skb.len += 14;
      sum += skb.data;
      skb.data += 14;
      skb.len -= 14;
      sum += skb.data;
      skb.data += 20;
      skb.len -= 20;
      sum += skb.data;
      skb.data += 8;
      skb.len -= 8;
      sum += skb.data;
    }
    return sum;
  };
}
