/** Flags and fragment offset, the fourth 16 bits of the IPv4 header (RFC 791 §3.1, §3.2). `offset`: where the header begins. */
export const IPV4_DF = 0x4000;
export const IPV4_MF = 0x2000;
/** The offset, in units of 8 bytes. */
export const IPV4_OFFSET_MASK = 0x1fff;

/** Flags and offset as they stand. */
export function ipv4FragmentField(view: DataView, offset: number): number {
  return view.getUint16(offset + 6);
}

export function setIpv4FragmentField(view: DataView, offset: number, field: number): void {
  view.setUint16(offset + 6, field);
}

/** Part of a packet, the first one too. */
export function isIpv4Fragment(view: DataView, offset: number): boolean {
  return (ipv4FragmentField(view, offset) & (IPV4_MF | IPV4_OFFSET_MASK)) !== 0;
}

export function ipv4FragmentOffsetBytes(view: DataView, offset: number): number {
  return (ipv4FragmentField(view, offset) & IPV4_OFFSET_MASK) << 3;
}

export function hasIpv4MoreFragments(view: DataView, offset: number): boolean {
  return (ipv4FragmentField(view, offset) & IPV4_MF) !== 0;
}

export function isIpv4DontFragment(view: DataView, offset: number): boolean {
  return (ipv4FragmentField(view, offset) & IPV4_DF) !== 0;
}
