/**
 * What one message has otherwise than its socket, as its ancillary data say. Kept and filled anew by its sender; a layer reads it in `send`.
 * Linux's `struct ipcm_cookie` and `ipcm6_cookie`.
 */
export class PacketOptions {
  /** 0 to 255; -1: as the socket has it. IP_TTL, IPV6_HOPLIMIT. */
  hopLimit = -1;
  /** 0 to 255; -1: as the socket has it. IP_TOS, IPV6_TCLASS. */
  trafficClass = -1;
  /** 1: rather nothing than fragments, 0: fragments may be; -1: as the socket has it. IPV6_DONTFRAG. */
  dontFragment = -1;
  /** 20 bits; -1: as the socket has it. IPV6_FLOWINFO. */
  flowLabel = -1;
  /** Source and interface that IP_PKTINFO or IPV6_PKTINFO name; zeros: none. */
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  ifindex = 0;
  /** SO_MARK, where `hasMark`. int32. */
  hasMark = false;
  mark = 0;
  /** SO_PRIORITY; -1: as the socket has it. */
  priority = -1;
  /** SCM_TXTIME: earliest departure, kernel µs, wrapping int32; 0: at once. */
  departUs = 0;
  /** Bits of SO_TIMESTAMPING that ask for stamps of this packet; -1: as the socket has it. */
  timestamping = -1;
  /** UDP_SEGMENT; -1: as the socket has it. */
  segmentBytes = -1;
  /** Header options or extension headers, of the layer's own making, instead of the socket's; null: the socket's. IP_RETOPTS, IPV6_RTHDR ... */
  headers: object | null = null;

  /** All as the socket has it. */
  reset(): void {
    this.hopLimit = -1;
    this.trafficClass = -1;
    this.dontFragment = -1;
    this.flowLabel = -1;
    this.source0 = 0;
    this.source1 = 0;
    this.source2 = 0;
    this.source3 = 0;
    this.ifindex = 0;
    this.hasMark = false;
    this.mark = 0;
    this.priority = -1;
    this.departUs = 0;
    this.timestamping = -1;
    this.segmentBytes = -1;
    this.headers = null;
  }
}
