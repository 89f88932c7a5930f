import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Slabs } from '../slabs.ts';

const SIZE = { buffers: 1, pages: 1 };
const { WebAssembly } = globalThis as unknown as { WebAssembly: object };

/** Another host. */
function on<T>(host: object | undefined, act: () => T): T {
  vi.stubGlobal('WebAssembly', host);
  try {
    return act();
  } finally {
    vi.unstubAllGlobals();
  }
}

/** As much of WebAssembly as that, and one part of it otherwise. */
function host(part: object): object {
  const { Memory, Module, Instance, validate } = WebAssembly as Record<string, unknown>;
  return { Memory, Module, Instance, validate, ...part };
}

describe('vector instructions', () => {
  it('are there in Node, in either kind of memory', () => {
    for (const shared of [false, true]) expect(typeof new Slabs(SIZE, { shared }).bulk?.sum).toBe('function');
  });

  it('are left alone where they are not wanted', () => {
    expect(new Slabs(SIZE, { vectors: false })).toMatchObject({ bulk: null, wasm: expect.anything() });
  });

  it.each([
    ['there is no WebAssembly', undefined],
    ['it has no vectors', host({ validate: () => false })],
    [
      'a page may compile nothing',
      host({
        Module: class {
          constructor() {
            throw new Error('unsafe-eval');
          }
        },
      }),
    ],
  ])('are done without where %s', (_name, other) => {
    on(other, () => expect(new Slabs(SIZE).bulk).toBeNull());
  });

  it('trap outside of the memory', () => {
    const { bulk, bytes } = new Slabs(SIZE);
    expect(() => bulk!.sum(bytes.length - 10, bytes.length + 1)).toThrow(/out of bounds/);
  });

  it('are what vectors.wat says', () => {
    const script = resolve(import.meta.dirname, '../../../../scripts/assemble.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
