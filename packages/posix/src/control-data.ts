import { ControlMessage, MESSAGE_FLAG } from '@softnet/contract';

/** `struct cmsghdr`: a length of eight bytes, level and type. Headers and data begin at multiples of eight. */
const HEADER_BYTES = 16;
const ALIGN = 8;

/** One control message as a plain value. */
export interface ControlItem {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

function aligned(lenBytes: number): number {
  return (lenBytes + ALIGN - 1) & -ALIGN;
}

/** `CMSG_LEN`: what stands in the header. */
export function controlLen(dataBytes: number): number {
  return HEADER_BYTES + dataBytes;
}

/** `CMSG_SPACE`: what a control message takes. */
export function controlSpace(dataBytes: number): number {
  return HEADER_BYTES + aligned(dataBytes);
}

/** `msg_control` of a message to be sent. */
export function writeControl(items: readonly ControlItem[]): Uint8Array {
  const bytes = new Uint8Array(items.reduce((sum, { data }) => sum + controlSpace(data.length), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { level, type, data } of items) {
    putHeader(view, at, data.length, level, type);
    bytes.set(data, at + HEADER_BYTES);
    at += controlSpace(data.length);
  }
  return bytes;
}

/** The control messages of `msg_control`; null: a length is none (EINVAL). */
export function readControl(bytes: Uint8Array): ControlItem[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: ControlItem[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const lenBytes = Number(view.getBigUint64(at, true));
    if (lenBytes < HEADER_BYTES || lenBytes > bytes.length - at) return null;
    const data = bytes.slice(at + HEADER_BYTES, at + lenBytes);
    items.push({ level: view.getInt32(at + 8, true), type: view.getInt32(at + 12, true), data });
    at += aligned(lenBytes);
  }
  return items;
}

/** As the contract's chain. Null: there are none. */
export function chainOf(items: readonly ControlItem[]): ControlMessage | null {
  let first: ControlMessage | null = null;
  for (const { level, type, data } of items.toReversed()) {
    const control = new ControlMessage(level, type, data);
    control.next = first;
    first = control;
  }
  return first;
}

/**
 * Puts a received chain into the user's room, as far as it goes: what does not fit is cut, and said by MSG_CTRUNC, as in Linux's `put_cmsg`.
 * @returns bytes written, and that flag or 0.
 */
export function fillControl(first: ControlMessage | null, room: Uint8Array): { readonly lenBytes: number; readonly flags: number } {
  const view = new DataView(room.buffer, room.byteOffset, room.byteLength);
  let at = 0;
  for (let control = first; control !== null; control = control.next) {
    const left = room.length - at;
    if (left < HEADER_BYTES) return { lenBytes: at, flags: MESSAGE_FLAG.CTRUNC };
    const dataBytes = Math.min(control.data.length, left - HEADER_BYTES);
    putHeader(view, at, dataBytes, control.level, control.type);
    room.set(control.data.subarray(0, dataBytes), at + HEADER_BYTES);
    if (dataBytes < control.data.length) return { lenBytes: at + controlLen(dataBytes), flags: MESSAGE_FLAG.CTRUNC };
    at = Math.min(at + controlSpace(dataBytes), room.length);
  }
  return { lenBytes: at, flags: 0 };
}

function putHeader(view: DataView, at: number, dataBytes: number, level: number, type: number): void {
  view.setBigUint64(at, BigInt(controlLen(dataBytes)), true);
  view.setInt32(at + 8, level, true);
  view.setInt32(at + 12, type, true);
}
