import { describe, expect, it, vi } from 'vitest';
import { BUFFER_BYTES, MAX_BUFFERS, MAX_PAGES, PAGE_BYTES, Slabs } from './slabs.ts';

describe('packet memory', () => {
  const size = { buffers: 3, pages: 3 };

  it('is a WebAssembly memory, or an ArrayBuffer where there is none; other threads may see it when it is shared', () => {
    const host = globalThis as unknown as { WebAssembly: { Memory: never } };
    for (const [shared, Buffer] of [
      [false, ArrayBuffer],
      [true, SharedArrayBuffer],
    ] as const) {
      const { wasm, bytes } = new Slabs(size, { shared });
      expect(wasm).toBeInstanceOf(host.WebAssembly.Memory);
      expect(bytes.buffer).toBeInstanceOf(Buffer);
      vi.stubGlobal('WebAssembly', undefined);
      try {
        const slabs = new Slabs(size, { shared });
        expect([slabs.wasm, slabs.bulk, slabs.bytes.length]).toEqual([null, null, 65_536]);
        expect(slabs.bytes.buffer).toBeInstanceOf(Buffer);
      } finally {
        vi.unstubAllGlobals();
      }
    }
  });

  it('that is not to be had is ENOMEM', () => {
    vi.stubGlobal('WebAssembly', { Memory: () => Promise.reject() });
    try {
      expect(() => new Slabs(size)).toThrow(/^ENOMEM: .*net\.core\.skb_buffers or net\.core\.skb_pages$/);
      expect(() => new Slabs(size, { shared: true })).toThrow(/^ENOMEM: .* shared memory .*net\.core\.skb_shared to 0$/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('at its greatest stays below 2^30, so that offsets are small integers', () => {
    expect(MAX_BUFFERS * BUFFER_BYTES + MAX_PAGES * PAGE_BYTES).toBeLessThan(2 ** 30);
  });
});
