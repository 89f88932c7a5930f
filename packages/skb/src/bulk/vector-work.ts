import type { BulkWork } from '@softnet/contract';
import { VECTOR_CODE, VECTOR_CODE_SHARED } from './vector-code.ts';
import type { WasmHost, WasmMemory } from './wasm-host.ts';

/**
 * Work by vector instructions on a WebAssembly memory: that of `Slabs`, also in another thread to which it was posted. Null: this
 * host has none of them, or compiles no code (a page's policy may forbid it).
 */
export function vectorWork(memory: WasmMemory): BulkWork | null {
  const { WebAssembly } = globalThis as WasmHost;
  if (WebAssembly === undefined) return null;
  // By its tag: a memory from another thread or frame has other constructors.
  const shared = memory.buffer[Symbol.toStringTag] === 'SharedArrayBuffer';
  const code = decode(shared ? VECTOR_CODE_SHARED : VECTOR_CODE);
  if (!WebAssembly.validate(code)) return null;
  let module: object;
  try {
    module = new WebAssembly.Module(code);
  } catch {
    return null;
  }
  return new WebAssembly.Instance(module, { packets: { memory } }).exports as BulkWork;
}

function decode(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
