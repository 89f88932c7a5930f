import { TCP_FLAG } from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { putSack, putSynOptions, putTimestamps, SynOptions, sackRoom } from '../wire/put-options.ts';
import type { BareSegment } from './bare-segment.ts';
import type { SegmentHost } from './segment-host.ts';

const MAX_OPTION_BYTES = 40;

/** Options of the segment at hand, before it has a place: how long its header is depends on them. */
export class OptionScratch {
  readonly view: DataView = new DataView(new ArrayBuffer(MAX_OPTION_BYTES));
  readonly #host: Pick<SegmentHost, 'clock' | 'settings'>;
  readonly #syn = new SynOptions();

  constructor(host: Pick<SegmentHost, 'clock' | 'settings'>) {
    this.#host = host;
  }

  /** @param roomBytes that they may take: beside payload there is no more than the MSS leaves (RFC 6691). @returns bytes. */
  ofConnection(conn: Connection, flags: number, roomBytes: number): number {
    if ((flags & TCP_FLAG.SYN) !== 0) return this.#ofSyn(conn, flags);
    const hasTimestamps = (conn.flags & FLAG.TIMESTAMPS) !== 0;
    const lenBytes = hasTimestamps ? putTimestamps(this.view, 0, this.#tsVal(conn), conn.tsRecent) : 0;
    const isAck = (flags & (TCP_FLAG.ACK | TCP_FLAG.RST)) === TCP_FLAG.ACK;
    if (conn.disorder === null || !isAck || (conn.flags & FLAG.SACK) === 0) return lenBytes;
    const { report } = conn.disorder;
    const room = Math.min(sackRoom(lenBytes), (roomBytes - lenBytes - 4) >> 3);
    const blocks = Math.max(0, Math.min(report.count, room));
    if (blocks === 0) return lenBytes;
    const sackBytes = putSack(this.view, lenBytes, report.edges, blocks);
    report.sent();
    return lenBytes + sackBytes;
  }

  ofBare({ syn, hasTimestamps, tsVal, tsEcr }: BareSegment): number {
    if (syn !== null) return putSynOptions(this.view, 0, syn);
    return hasTimestamps ? putTimestamps(this.view, 0, tsVal, tsEcr) : 0;
  }

  /** What we offer, also in the SYN-ACK of a simultaneous open, whose SYN this is again: as Linux. */
  #ofSyn(conn: Connection, flags: number): number {
    const { settings } = this.#host;
    const syn = this.#syn;
    syn.mssBytes = conn.toldMssBytes;
    syn.windowScale = settings.windowScaling ? conn.rcvShift : -1;
    syn.sackPermitted = settings.sack;
    syn.hasTimestamps = settings.timestamps;
    syn.tsVal = this.#tsVal(conn);
    syn.tsEcr = (flags & TCP_FLAG.ACK) !== 0 ? conn.tsRecent : 0;
    return putSynOptions(this.view, 0, syn);
  }

  /** ms, each connection by a clock of its own (RFC 7323 §5.4, §7.1). */
  #tsVal({ tsOffset }: Connection): number {
    return (this.#host.clock.nowMs + tsOffset) | 0;
  }
}
