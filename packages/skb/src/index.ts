export { Accounts } from './accounts.ts';
export { Toeplitz } from './bulk/toeplitz.ts';
export { VectorToeplitz } from './bulk/vector-toeplitz.ts';
export { vectorWork } from './bulk/vector-work.ts';
export { copyAndSum, finishChecksum, sumOf } from './checksum.ts';
export { copyBytes } from './copy-bytes.ts';
export { copyWords } from './copy-words.ts';
export { PoolCounters } from './counters.ts';
export { DEBUG } from './debug.ts';
export {
  appendFragment,
  claim,
  cutFront,
  handOver,
  headroom,
  linearBytes,
  orphan,
  passOn,
  pull,
  purge,
  push,
  put,
  reserve,
  scrub,
  split,
  tailroom,
  trim,
} from './edit.ts';
export { loadFilter } from './filter/bpf-filter.ts';
export type { FilterFacts } from './filter/filter-facts.ts';
export { parseFilter } from './filter/parse-filter.ts';
export { copyIn, gather, linearize } from './gather.ts';
export { makePool } from './make-pool.ts';
export { SkbModule } from './module.ts';
export { Pattern } from './pattern.ts';
export { PacketPool } from './pool.ts';
export { SkbReader } from './reader.ts';
export {
  FRAME_HEAD_BYTES,
  type PoolSource,
  RECEIVE_HEADROOM_BYTES,
  ReceiveBuffers,
  ReceiveCounters,
  SPLIT_BYTES,
} from './receive-buffers.ts';
export { FRAGMENT_BYTES, PAGE_TRUESIZE, SKB_BYTES } from './records.ts';
export { BUFFER_BYTES, PAGE_BYTES, type SlabKind, type SlabSize, Slabs } from './slabs.ts';
