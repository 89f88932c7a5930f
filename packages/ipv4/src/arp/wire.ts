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
  'arp.hardware': 'of another kind of link (RFC 826: "do I have the hardware type")',
  'arp.protocol': 'about addresses that are not IPv4 (RFC 826: "do I speak the protocol")',
  'arp.lengths': 'its addresses are not of 6 and 4 bytes (RFC 826)',
  'arp.operation': 'neither request nor reply (RFC 826)',
  'arp.sender': 'its sender is no single host of a link (RFC 1812 §3.3.2, RFC 1122 §3.2.1.3)',
  'arp.sender-link': 'the link address of its sender is none, or a group (RFC 1812 §3.3.2)',
} as const);
export type ArpFault = keyof typeof ARP_FAULT;

/** @param headBytes that may be read from `offset` on; what is behind the 28 is padding. @param hardware the link's type: 1 for Ethernet. */
export function arpFault(view: DataView, offset: number, headBytes: number, hardware: number): ArpFault | null {
  if (headBytes < ARP_BYTES) return 'arp.truncated';
  if (view.getUint16(offset) !== hardware) return 'arp.hardware';
  if (view.getUint16(offset + 2) !== IPV4) return 'arp.protocol';
  if (view.getUint16(offset + 4) !== ((HARDWARE_BYTES << 8) | PROTOCOL_BYTES)) return 'arp.lengths';
  const operation = arpOperation(view, offset);
  if (operation !== ARP_OPERATION.REQUEST && operation !== ARP_OPERATION.REPLY) return 'arp.operation';
  if (!isHost(arpSender(view, offset))) return 'arp.sender';
  const high = view.getUint16(offset + ARP_SENDER_LINK);
  if ((high & 0x100) !== 0 || (high === 0 && view.getUint32(offset + ARP_SENDER_LINK + 2) === 0)) return 'arp.sender-link';
  return null;
}

/** An address that a host on a link may have, or 0: an address probe (RFC 5227 §2.1). */
function isHost(address: number): boolean {
  const first = address >>> 24;
  return address === 0 || (first !== 0 && first !== 127 && first < 224);
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
