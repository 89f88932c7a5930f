import { TCP_HEADER_BYTES, tcpSackLeft, tcpSackRight } from '@softnet/wire';
import { putSack, putSynOptions, putTimestamps, SynOptions } from './put-options.ts';
import { ReceivedOptions, readOptions } from './received-options.ts';

/** Options as a plain value, for tests and tools. What is not said is not there. */
export interface OptionsValue {
  readonly mssBytes?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: true;
  /** TSval and TSecr, int32. */
  readonly timestamps?: readonly [tsVal: number, tsEcr: number];
  /** Blocks as [left, right], int32. */
  readonly sack?: readonly (readonly [left: number, right: number])[];
}

/** Null: malformed. @param offset of a TCP header that is all there. */
export function parseOptionsValue(view: DataView, offset: number, isSyn: boolean): OptionsValue | null {
  const got = new ReceivedOptions();
  if (!readOptions(view, offset, isSyn, got)) return null;
  return {
    ...(got.mssBytes > 0 && { mssBytes: got.mssBytes }),
    ...(got.windowScale >= 0 && { windowScale: got.windowScale }),
    ...(got.sackPermitted && { sackPermitted: true as const }),
    ...(got.hasTimestamps && { timestamps: [got.tsVal, got.tsEcr] as const }),
    ...(got.sackBlocks > 0 && { sack: sackOf(view, got) }),
  };
}

function sackOf(view: DataView, got: ReceivedOptions): [number, number][] {
  return Array.from({ length: got.sackBlocks }, (_, i) => [tcpSackLeft(view, got.sackAt, i), tcpSackRight(view, got.sackAt, i)]);
}

/** Writes behind the 20 bytes of the header at `offset`; with an MSS as a SYN's. @returns bytes of the options. */
export function emitOptionsValue(view: DataView, offset: number, value: OptionsValue): number {
  const at = offset + TCP_HEADER_BYTES;
  const [tsVal = 0, tsEcr = 0] = value.timestamps ?? [];
  let next = at;
  if (value.mssBytes !== undefined) {
    const { mssBytes, windowScale = -1, sackPermitted = false } = value;
    const said = { mssBytes, windowScale, sackPermitted, hasTimestamps: value.timestamps !== undefined, tsVal, tsEcr };
    next += putSynOptions(view, at, Object.assign(new SynOptions(), said));
  } else if (value.timestamps !== undefined) next += putTimestamps(view, at, tsVal, tsEcr);
  const edges = Int32Array.from((value.sack ?? []).flat());
  return next + putSack(view, next, edges, edges.length >> 1) - at;
}
