import type { FoundOptions } from './header-options.ts';
import { stampBytes, TIMESTAMP_FORM } from './header-options.ts';

/** Which addresses are this node's own. */
export interface OwnAddresses {
  isLocal(address: number, ifindex: number): boolean;
}

/** Not milliseconds since midnight, as the kernel knows no date: RFC 791 §3.1 has a bit for that. */
const NOT_STANDARD = 0x80000000 | 0;

/**
 * Writes into a packet's options that it was here (RFC 791 §3.1, RFC 1812 §5.3.13.2, §5.3.13.5): a route, a timestamp, or that there was no room
 * for one. The checksum is the caller's. The options are good: `checkOptions` has found them. Answers whether it wrote.
 * @param address of this node on the way that the packet takes. @param nowMs the kernel's.
 */
export function stampOptions(
  view: DataView,
  offset: number,
  found: FoundOptions,
  address: number,
  nowMs: number,
  own: OwnAddresses,
): boolean {
  let wrote = false;
  if (found.recordRoute !== 0) wrote = recordRoute(view, offset + found.recordRoute, address);
  if (found.timestamp !== 0) wrote = stamp(view, offset + found.timestamp, address, nowMs, own) || wrote;
  return wrote;
}

/** Puts an address where the pointer shows, and moves the pointer on; also of a source route that is used up by a hop. False: it is full. */
export function recordRoute(view: DataView, at: number, address: number): boolean {
  const pointer = view.getUint8(at + 2);
  if (pointer > view.getUint8(at + 1)) return false;
  view.setInt32(at + pointer - 1, address);
  view.setUint8(at + 2, pointer + 4);
  return true;
}

function stamp(view: DataView, at: number, address: number, nowMs: number, own: OwnAddresses): boolean {
  const pointer = view.getUint8(at + 2);
  const form = view.getUint8(at + 3) & 15;
  if (pointer > view.getUint8(at + 1)) {
    // `checkOptions` has seen that the count of those who found no room is below its end.
    view.setUint8(at + 3, view.getUint8(at + 3) + 0x10);
    return true;
  }
  const place = at + pointer - 1;
  const lenBytes = stampBytes(form);
  if (form === TIMESTAMP_FORM.PRESPECIFIED && !own.isLocal(view.getInt32(place), 0)) return false;
  if (form === TIMESTAMP_FORM.ADDRESSES) view.setInt32(place, address);
  view.setInt32(place + lenBytes - 4, nowMs | NOT_STANDARD);
  view.setUint8(at + 2, pointer + lenBytes);
  return true;
}
