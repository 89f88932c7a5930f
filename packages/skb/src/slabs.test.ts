import { describe, expect, it, vi } from 'vitest';
import { BUFFER_BYTES, MAX_BUFFERS, MAX_PAGES, PAGE_BYTES, Slabs } from './slabs.ts';

describe('packet memory', () => {
  it('is a WebAssembly memory, or an ArrayBuffer where there is none', () => {
    const size = { buffers: 3, pages: 3 };
    expect(new Slabs(size).wasm).toBeInstanceOf((globalThis as unknown as { WebAssembly: { Memory: never } }).WebAssembly.Memory);
    vi.stubGlobal('WebAssembly', undefined);
    try {
      const slabs = new Slabs(size);
      expect([slabs.wasm, slabs.bytes.length]).toEqual([null, 65_536]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('that is not to be had is ENOMEM', () => {
    vi.stubGlobal('WebAssembly', { Memory: () => Promise.reject() });
    try {
      expect(() => new Slabs({ buffers: 1, pages: 1 })).toThrow(/^ENOMEM: .*net\.core\.skb_buffers/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('at its greatest stays below 2^30, so that offsets are small integers', () => {
    expect(MAX_BUFFERS * BUFFER_BYTES + MAX_PAGES * PAGE_BYTES).toBeLessThan(2 ** 30);
  });
});
