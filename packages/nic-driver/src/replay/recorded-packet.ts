/** A packet of a capture file: kept and filled anew for each. */
export class RecordedPacket {
  /** Where its bytes lie in the file, how many are there, and how many there were on the wire. */
  offset = 0;
  capturedBytes = 0;
  lenBytes = 0;
  /** µs since 1970; of a simple packet block: that of the packet before it. */
  timeUs = 0;
  /** Index into `CaptureReader.interfaces`. */
  interfaceId = 0;
  /** The capture says that it was sent. */
  outbound = false;
  /** The capture says that it was dropped: it stands there a second time, or never was a frame. */
  dropped = false;
}

/** Where packets of a capture came from. */
export interface RecordedInterface {
  /** Empty: not said. */
  readonly name: string;
  /** One of tcpdump.org's. */
  readonly linkType: number;
}

/** Reads a capture file from front to back. */
export interface CaptureReader {
  /** As far as it was read; numbered over the whole file. */
  readonly interfaces: readonly RecordedInterface[];
  /** What is wrong with the file where reading ended, in words; null: nothing yet. */
  readonly broken: string | null;
  /** Fills in the next packet. False: there is none, or the file is broken there. */
  next(packet: RecordedPacket): boolean;
  /** Stands at the first packet again. */
  rewind(): void;
}
