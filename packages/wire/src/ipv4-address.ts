/** IPv4 addresses as one int32 word; in text, four decimal parts (RFC 791 §3.2, RFC 6943 §3.1.1's strict form). */

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/**
 * Four parts of 0 to 255 without leading zeros, like `inet_pton`: no octal, no hexadecimal, no fewer parts, since
 * programs disagree on what those mean. Null: no such text.
 */
export function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let address = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    address = (address << 8) | Number(part);
  }
  return address;
}
