import type { BulkWork } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { vectorWork } from './bulk/vector-work.ts';
import type { WasmHost, WasmMemory } from './bulk/wasm-host.ts';
import { FreeList } from './free-list.ts';

/** Bytes of a small buffer: the head of a packet. A frame of 1,514 bytes fits, with more than 500 bytes of headroom. */
export const BUFFER_BYTES = 2048;
/** Bytes of a page: payload, and heads that do not fit into a small buffer. Pages lie on multiples of it. */
export const PAGE_BYTES = 4096;
/** At most so many of each: together they fill 1 GiB, whose offsets are small integers in every V8. */
export const MAX_BUFFERS = 262_144;
export const MAX_PAGES = 131_071;

/** By this much an offset is shifted to find its count of shares: one for each 2 KiB. */
const UNIT_SHIFT = 11;
const WASM_PAGE_BYTES = 65_536;

/** How much memory. */
export interface SlabSize {
  /** Small buffers, of {@link BUFFER_BYTES}. */
  readonly buffers: number;
  /** Pages, of {@link PAGE_BYTES}. */
  readonly pages: number;
}

/** Which memory. */
export interface SlabKind {
  /** Other threads may see it too: a SharedArrayBuffer. Default false. */
  readonly shared?: boolean;
  /** Work on it by vector instructions, where there are some. Default true. */
  readonly vectors?: boolean;
}

/**
 * The bytes that all packets of a pool lie in: one slab of small buffers, one of pages, in a single memory whose size never
 * changes. The system gives real memory for what is touched only.
 */
export class Slabs {
  readonly size: SlabSize;
  readonly kind: Required<SlabKind>;
  readonly bytes: Uint8Array;
  /** What programs in WebAssembly import to work on packets in place; null where there is no WebAssembly. */
  readonly wasm: WasmMemory | null;
  readonly bulk: BulkWork | null;
  /** Offset of the first page; small buffers are below. */
  readonly pagesFrom: number;
  /** What is idle. */
  readonly buffers: FreeList;
  readonly pages: FreeList;
  readonly #shares: Int32Array;

  /** @throws NetError ENOMEM. */
  constructor(size: SlabSize, { shared = false, vectors = true }: SlabKind = {}) {
    this.size = size;
    this.kind = { shared, vectors };
    this.pagesFrom = roundUp(size.buffers * BUFFER_BYTES, PAGE_BYTES);
    const lenBytes = roundUp(this.pagesFrom + size.pages * PAGE_BYTES, WASM_PAGE_BYTES);
    const { buffer, wasm } = memoryOf(lenBytes, shared);
    this.bytes = new Uint8Array(buffer);
    this.wasm = wasm;
    this.bulk = wasm !== null && vectors ? vectorWork(wasm) : null;
    this.#shares = new Int32Array(lenBytes >>> UNIT_SHIFT);
    this.buffers = listOf(0, BUFFER_BYTES, size.buffers);
    this.pages = listOf(this.pagesFrom, PAGE_BYTES, size.pages);
  }

  /** First byte of the buffer or page that an offset lies in. */
  baseOf(offset: number): number {
    return offset & (offset < this.pagesFrom ? -BUFFER_BYTES : -PAGE_BYTES);
  }

  /** How many skbs and fragments show this buffer. */
  sharesOf(base: number): number {
    return this.#shares[base >>> UNIT_SHIFT]!;
  }

  /** One more does. */
  share(base: number): void {
    this.#shares[base >>> UNIT_SHIFT]!++;
  }

  /** One fewer does. Returns how many are left. */
  unshare(base: number): number {
    return --this.#shares[base >>> UNIT_SHIFT]!;
  }
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** The lowest offset is taken first, so that little memory is touched as long as little is out. */
function listOf(from: number, stepBytes: number, count: number): FreeList {
  const list = new FreeList(count);
  for (let i = count - 1; i >= 0; i--) list.put(from + i * stepBytes);
  return list;
}

function memoryOf(lenBytes: number, shared: boolean): { buffer: ArrayBufferLike; wasm: WasmMemory | null } {
  const { WebAssembly } = globalThis as WasmHost;
  try {
    if (WebAssembly === undefined) return { buffer: shared ? new SharedArrayBuffer(lenBytes) : new ArrayBuffer(lenBytes), wasm: null };
    const wasmPages = lenBytes / WASM_PAGE_BYTES;
    const wasm = new WebAssembly.Memory({ initial: wasmPages, maximum: wasmPages, shared });
    return { buffer: wasm.buffer, wasm };
  } catch (cause) {
    const advice = `lower net.core.skb_buffers or net.core.skb_pages${shared ? ', or net.core.skb_shared to 0' : ''}`;
    throw new NetError('ENOMEM', `no ${lenBytes} bytes${shared ? ' of shared memory' : ''} for packets are to be had: ${advice}`, {
      cause,
    });
  }
}
