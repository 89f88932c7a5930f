import type { ControlMessage } from '@softnet/contract';
import { ControlMessage as Control, MESSAGE_FLAG } from '@softnet/contract';
import { parseAddress } from '@softnet/wire';
import type { User } from './host.ts';
import { address, textOf } from './host.ts';

/** [level, type, bytes]: how tables name a control message. */
export type Row = readonly [level: number, type: number, bytes: readonly number[]];

/** An int, as Linux's ABI has it. */
export function int(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** The bytes of an address: four or sixteen; a mapped one's are sixteen too. */
export function ip(text: string): number[] {
  const { family, words } = parseAddress(text)!;
  const bytes = words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
  return family === 2 && !text.includes(':') ? bytes.slice(12) : bytes;
}

/** As a list that a message takes. */
export function controls(rows: readonly Row[]): ControlMessage | null {
  let first: ControlMessage | null = null;
  for (const [level, type, bytes] of rows.toReversed()) {
    const control = new Control(level, type, Uint8Array.from(bytes));
    control.next = first;
    first = control;
  }
  return first;
}

/** Sends with control messages, and flags. */
export function sendWith(user: User, data: readonly number[], rows: readonly Row[], to?: string, flags = 0): number {
  const { message } = user;
  message.control = controls(rows);
  message.data = Uint8Array.from(data);
  message.more = null;
  message.flags = flags;
  message.hasAddress = to !== undefined;
  if (to !== undefined) message.address = address(to, user.sock.family);
  const result = user.calls.send(user.sock, message);
  message.control = null;
  return result;
}

/** What is received, control messages and all; or the negative errno. */
export function receiveAll(user: User, flags = 0, roomBytes = 65536) {
  const { message } = user;
  const room = new Uint8Array(roomBytes);
  message.flags = flags;
  message.data = room;
  message.more = null;
  const count = user.calls.receive(user.sock, message);
  if (count < 0) return count;
  const control: Row[] = [];
  for (let each = message.control; each !== null; each = each.next) control.push([each.level, each.type, [...each.data]]);
  return {
    bytes: [...room.subarray(0, Math.min(count, roomBytes))],
    from: message.hasAddress ? textOf(message.address) : '',
    control,
    flags: message.flags,
  };
}

/** Sets an option to these bytes: 0, or -errno. */
export function set(user: User, level: number, name: number, bytes: readonly number[]): number {
  return user.calls.setOption(user.sock, level, name, Uint8Array.from(bytes));
}

/** An option's bytes, or -errno. */
export function get(user: User, level: number, name: number, roomBytes = 4): number[] | number {
  const room = new Uint8Array(roomBytes);
  const count = user.calls.getOption(user.sock, level, name, room);
  return count < 0 ? count : [...room.subarray(0, count)];
}

export const MORE: number = MESSAGE_FLAG.MORE;
