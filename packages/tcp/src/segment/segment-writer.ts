import type { Connection } from '../machine/connection.ts';
import type { BareSegment } from './bare-segment.ts';
import type { SegmentHost } from './segment-host.ts';
import type { SendQueues } from './send-queue.ts';

/** Segments on their way out: header, options, payload, route. */
export class SegmentWriter {
  constructor(_host: SegmentHost, _queues: SendQueues) {}

  /** `MachineHost.transmit`. */
  transmit(_conn: Connection, _flags: number, _seq: number, _lenBytes: number): boolean {
    return false;
  }

  /** `MachineHost.reset`. */
  reset(_conn: Connection, _flags: number, _seq: number, _ack: number): void {}

  /** `MachineHost.mostSegments`. */
  mostSegments(_conn: Connection): number {
    return 1;
  }

  /** Sends a segment of no connection. False: no way, or no memory; as if lost. */
  bare(_segment: BareSegment): boolean {
    return false;
  }
}
