/** ARP over a link with 48-bit addresses (RFC 826): one header of 28 bytes, nothing behind it. `offset` is where it begins. */
export const ARP_BYTES = 28;

export const ARP_OPERATION = Object.freeze({ REQUEST: 1, REPLY: 2 } as const);

const HARDWARE_BYTES = 6;
const PROTOCOL_BYTES = 4;
const IPV4 = 0x0800;

/** Where the sender's and the target's link addresses stand. */
export const ARP_SENDER_LINK = 8;
export const ARP_TARGET_LINK = 18;

/** What may be wrong with a packet: names of drop reasons, and their text. */
export const ARP_FAULT = Object.freeze({
  'arp.truncated': 'shorter than its 28 bytes (RFC 826)',
  'arp.space': 'of another kind of link, or of addresses that are not IPv4 (RFC 826)',
  'arp.operation': 'neither request nor reply (RFC 826)',
  'arp.sender': 'its sender names a group, not a host (RFC 5227 §2.1.1, RFC 1812 §3.3.2)',
} as const);
export type ArpFault = keyof typeof ARP_FAULT;

/** @param headBytes that may be read from `offset` on. @param hardware number of the link's type: 1 for Ethernet. */
export function arpFault(view: DataView, offset: number, headBytes: number, hardware: number): ArpFault | null {
  if (headBytes < ARP_BYTES) return 'arp.truncated';
  if (view.getUint16(offset) !== hardware || view.getUint16(offset + 2) !== IPV4) return 'arp.space';
  if (view.getUint16(offset + 4) !== ((HARDWARE_BYTES << 8) | PROTOCOL_BYTES)) return 'arp.space';
  const operation = arpOperation(view, offset);
  if (operation !== ARP_OPERATION.REQUEST && operation !== ARP_OPERATION.REPLY) return 'arp.operation';
  const sender = arpSender(view, offset);
  // Multicast, the class beyond it, and limited broadcast. 0 is an address probe (RFC 5227 §2.1).
  if (sender >>> 29 === 7 || (view.getUint8(offset + ARP_SENDER_LINK) & 1) !== 0) return 'arp.sender';
  return null;
}

/** One of {@link ARP_OPERATION}. */
export function arpOperation(view: DataView, offset: number): number {
  return view.getUint16(offset + 6);
}

/** The sender's IPv4 address, int32; 0: it has none yet. */
export function arpSender(view: DataView, offset: number): number {
  return view.getInt32(offset + 14);
}

/** The IPv4 address asked for, or answered to. */
export function arpTarget(view: DataView, offset: number): number {
  return view.getInt32(offset + 24);
}

/** Writes all of it. @param targetLink null: not known, zeros. `targetAt`: where it begins in those bytes. */
export function putArp(
  view: DataView,
  offset: number,
  hardware: number,
  operation: number,
  senderLink: Uint8Array,
  sender: number,
  targetLink: Uint8Array | null,
  targetAt: number,
  target: number,
): void {
  view.setUint16(offset, hardware);
  view.setUint16(offset + 2, IPV4);
  view.setUint16(offset + 4, (HARDWARE_BYTES << 8) | PROTOCOL_BYTES);
  view.setUint16(offset + 6, operation);
  for (let i = 0; i < HARDWARE_BYTES; i++) {
    view.setUint8(offset + ARP_SENDER_LINK + i, senderLink[i]!);
    view.setUint8(offset + ARP_TARGET_LINK + i, targetLink === null ? 0 : targetLink[targetAt + i]!);
  }
  view.setInt32(offset + 14, sender);
  view.setInt32(offset + 24, target);
}

/** A packet as a plain value. Link addresses are six bytes; IPv4 addresses int32. */
export interface ArpPacket {
  readonly operation: number;
  readonly senderLink: Uint8Array;
  readonly sender: number;
  readonly targetLink: Uint8Array;
  readonly target: number;
}

export function parseArp(bytes: Uint8Array, offset: number, length: number): ArpPacket | ArpFault {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fault = arpFault(view, offset, length, 1);
  if (fault !== null) return fault;
  const link = (at: number): Uint8Array => bytes.slice(offset + at, offset + at + HARDWARE_BYTES);
  return {
    operation: arpOperation(view, offset),
    senderLink: link(ARP_SENDER_LINK),
    sender: arpSender(view, offset),
    targetLink: link(ARP_TARGET_LINK),
    target: arpTarget(view, offset),
  };
}

/** For Ethernet. */
export function emitArp({ operation, senderLink, sender, targetLink, target }: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_BYTES);
  putArp(new DataView(bytes.buffer), 0, 1, operation, senderLink, sender, targetLink, 0, target);
  return bytes;
}
