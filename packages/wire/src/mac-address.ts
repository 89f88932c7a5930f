/** MAC addresses (IEEE 802, EUI-48): six bytes, in text `02:00:5e:10:00:fe`. */
export const MAC_BYTES = 6;

/** Colons, lower case, as Linux writes them. */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  const parts: string[] = [];
  for (let at = offset; at < offset + MAC_BYTES; at++) parts.push((bytes[at] ?? 0).toString(16).padStart(2, '0'));
  return parts.join(':');
}

/** Six bytes of two digits, between them colons, or hyphens (IEEE 802). Null: no such text. */
export function parseMac(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(text)) return null;
  return Uint8Array.from(text.split(/[:-]/), (part) => Number.parseInt(part, 16));
}

/** Whether the address at `offset` names a group: multicast or broadcast (IEEE 802, the I/G bit). */
export function isGroupMac(view: DataView, offset: number): boolean {
  return (view.getUint8(offset) & 1) !== 0;
}

/** Whether the address at `offset` is `mac`. */
export function isMac(view: DataView, offset: number, mac: Uint8Array): boolean {
  for (let index = 0; index < MAC_BYTES; index++) if (view.getUint8(offset + index) !== mac[index]) return false;
  return true;
}

export function putMac(view: DataView, offset: number, mac: Uint8Array): void {
  for (let index = 0; index < MAC_BYTES; index++) view.setUint8(offset + index, mac[index] ?? 0);
}
