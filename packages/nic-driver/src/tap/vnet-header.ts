/** `struct virtio_net_hdr` of <linux/virtio_net.h>, little-endian (virtio 1.2 §5.1.6): before each frame, where IFF_VNET_HDR is on. */
export const VNET_HEADER_BYTES = 10;

const FLAGS = 0;
const BURST = 1;
const HEADER_BYTES = 2;
const SEGMENT_BYTES = 4;
const CHECKSUM_START = 6;
const CHECKSUM_OFFSET = 8;

/** Bits of `flags`. */
export const VNET_FLAG = Object.freeze({
  /** The checksum is to be finished: the field has the pseudo-header's sum. */
  NEEDS_CHECKSUM: 1,
  /** It was verified. */
  CHECKSUM_VALID: 2,
} as const);

/** Values of `burst` (`gso_type`): what one frame stands for several of. ECN is a bit beside the TCPs. */
export const VNET_BURST = Object.freeze({ NONE: 0, TCPV4: 1, TCPV6: 4, UDP: 5, ECN: 0x80 } as const);

/** The header's fields; kept and filled anew for each frame. */
export class VnetHeader {
  /** Bits of {@link VNET_FLAG}. */
  flags = 0;
  /** One of {@link VNET_BURST}. */
  burst = 0;
  /** `hdr_len`: link, network and transport header; a hint. */
  headerBytes = 0;
  /** `gso_size`: payload of each segment. */
  segmentBytes = 0;
  /** `csum_start`: the first summed byte, from the frame's first on. */
  checksumStart = 0;
  /** `csum_offset`: the field, from `checksumStart` on. */
  checksumOffset = 0;
}

/** Whatever stands there: see `readOffloads` for what makes sense. */
export function readVnetHeader(view: DataView, offset: number, header: VnetHeader): void {
  header.flags = view.getUint8(offset + FLAGS);
  header.burst = view.getUint8(offset + BURST);
  header.headerBytes = view.getUint16(offset + HEADER_BYTES, true);
  header.segmentBytes = view.getUint16(offset + SEGMENT_BYTES, true);
  header.checksumStart = view.getUint16(offset + CHECKSUM_START, true);
  header.checksumOffset = view.getUint16(offset + CHECKSUM_OFFSET, true);
}

export function writeVnetHeader(view: DataView, offset: number, header: VnetHeader): void {
  view.setUint8(offset + FLAGS, header.flags);
  view.setUint8(offset + BURST, header.burst);
  view.setUint16(offset + HEADER_BYTES, header.headerBytes, true);
  view.setUint16(offset + SEGMENT_BYTES, header.segmentBytes, true);
  view.setUint16(offset + CHECKSUM_START, header.checksumStart, true);
  view.setUint16(offset + CHECKSUM_OFFSET, header.checksumOffset, true);
}
