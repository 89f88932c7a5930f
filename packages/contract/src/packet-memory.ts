import type { DropReason } from './counter.ts';
import type { Skb } from './skb.ts';
import { defineService } from './token.ts';

/**
 * The memory that packets lie in: slabs in one WebAssembly memory whose size is fixed at boot, so the views never
 * detach. At most 1 GiB: every offset is then a small integer in every V8. Made by a {@link SkbPool}; header
 * accessors take `(bytes, offset)`.
 */
export class PacketMemory {
  readonly bytes: Uint8Array;
  /** Over the same bytes; kept, because making a DataView costs 80 ns. */
  readonly view: DataView;
  /** Where buffers in this memory go back to, whoever frees them and whichever generation made them. */
  readonly pool: SkbPool;
  /** Work on many bytes in place, by vector instructions. Null: there are none; the skb package's plain functions do the same. */
  readonly bulk: BulkWork | null;

  constructor(bytes: Uint8Array, pool: SkbPool, bulk: BulkWork | null = null) {
    this.bytes = bytes;
    this.bulk = bulk;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pool = pool;
  }
}

/**
 * What is done to many bytes of one {@link PacketMemory} at a time; all offsets are absolute in it, and lie in it. Callers use the skb
 * package's functions, which fall back to plain ones that give the same answers.
 */
export interface BulkWork {
  /** The Internet checksum's sum (RFC 1071) of the bytes from `offset` to `end`, at most 256 KiB: folded, not inverted. */
  sum(offset: number, end: number): number;
  /** Copies `lenBytes`, at most 256 KiB and not overlapping, and sums them in the same pass. */
  copyAndSum(from: number, to: number, lenBytes: number): number;
  /** The Toeplitz hash of `lenBytes`, 4 to 36 and a multiple of 4; `windows`: where the key lies, as the skb package's `VectorToeplitz` spreads it out. */
  toeplitz(windows: number, offset: number, lenBytes: number): number;
}

/**
 * A run of payload bytes outside an skb's head: a page of a pool, or a user's registered buffer. Linux's `skb_frag_t`.
 * The bytes are never written once they hang on an skb: clones share them (row S3).
 */
export class Fragment {
  memory: PacketMemory;
  /** Counts who shares the bytes. */
  source: FragmentSource;
  /** Absolute offset of the first byte in `memory`. */
  offset = 0;
  lenBytes = 0;
  /** What it adds to the `truesize` of its packet: the memory that it keeps from being used otherwise, and its record. Set by its source. */
  truesize = 0;
  next: Fragment | null = null;

  constructor(memory: PacketMemory, source: FragmentSource) {
    this.memory = memory;
    this.source = source;
  }
}

/** Whose bytes a fragment shows: a page pool (recycles), or a ring that sends without copying (tells its user, row I8). Corridor. */
export interface FragmentSource {
  /** Another record that shows the same bytes, for a clone. Null: none is left. */
  share(fragment: Fragment): Fragment | null;
  /** One fewer shows them, and the source has the record back. The last one gives the bytes back. */
  release(fragment: Fragment): void;
}

/**
 * Makes and frees skbs. Exhaustion is answered `null` or `false` and counted by the pool; it never throws.
 *
 * A **corridor** throughout: connections that exist need buffers until they end. To free one, call
 * `skb.memory.pool`, which is always the pool that made it; to make one, the port.
 */
export interface SkbPool {
  /**
   * A fresh skb with every field at its initial value: `data` = `tail` = `headroomBytes` behind `head`, and at least
   * `lenBytes` of room behind `tail`. Linux's `alloc_skb` with `skb_reserve`.
   */
  alloc(headroomBytes: number, lenBytes: number): Skb | null;
  /** A page fragment of at least `lenBytes`, page-aligned, for payload. */
  page(lenBytes: number): Fragment | null;
  /** Another skb over the same bytes, without owner, queue link and re-entries. Linux's `skb_clone`. */
  clone(skb: Skb): Skb | null;
  /**
   * Makes the head this skb's own to write, with at least these rooms; offsets are moved along. Copies only what is
   * shared or does not fit. False: out of memory, and the skb is as it was. Linux's `skb_cow`.
   */
  makeRoom(skb: Skb, headroomBytes: number, tailroomBytes: number): boolean;
  /**
   * Ends a packet, whose bytes from `data` on live on as fragments, in order: what GRO hangs on another packet. Tells its socket, as
   * `release` does. Null: its head is shared, it is empty, or no record is left (counted), and it is as it was. Linux's `skb_gro_receive`.
   */
  dissolve(skb: Skb): Fragment | null;
  /**
   * The other way round: a fresh packet whose head is the buffer that the fragment lies in, its bytes at `data`. Takes the fragment, without what follows it.
   * Null: others show that buffer too, it is not of this pool, there are fewer than `headroomBytes` before the bytes, or no record is left; the
   * fragment is as it was.
   */
  revive(fragment: Fragment, headroomBytes: number): Skb | null;
  /** The packet did what it was for. Tells its socket, lets go of its slots, recycles it. Linux's `consume_skb`. */
  release(skb: Skb): void;
  /** The packet is lost: counted under `reason` and shown to captures, then released. Linux's `kfree_skb_reason`. */
  drop(skb: Skb, reason: DropReason): void;
}
export const SkbPool = defineService<SkbPool>({
  name: 'skb-pool',
  version: '1.0.0',
  errno: 'ENOBUFS',
  methods: ['alloc', 'page', 'clone', 'makeRoom', 'dissolve', 'revive', 'release', 'drop'],
  absent: () => ({
    alloc: () => null,
    page: () => null,
    clone: () => null,
    makeRoom: () => false,
    dissolve: () => null,
    revive: () => null,
    release: () => {},
    drop: (_skb, reason) => {
      reason.count++;
    },
  }),
});
