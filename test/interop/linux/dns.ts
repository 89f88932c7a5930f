/** Of a message: what is asked for, as it stands there, and where it ends. */
export interface Question {
  readonly name: string;
  readonly type: number;
  readonly endOffset: number;
}

export const DNS_TYPE = Object.freeze({ A: 1, TXT: 16, AAAA: 28 } as const);
const HEADER_BYTES = 12;
const CLASS_IN = 1;

/** A question for a name (RFC 1035 §4). */
export function ask(id: number, name: string, type: number): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([id >>> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, CLASS_IN]);
}

export function questionOf(message: Uint8Array): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (; message[at] !== 0; at += message[at]! + 1) labels.push(Buffer.from(message.subarray(at + 1, at + 1 + message[at]!)).toString());
  return { name: labels.join('.'), type: (message[at + 1]! << 8) | message[at + 2]!, endOffset: at + 5 };
}

/** The answer to a message: one record of the type that was asked for, with EDNS where it was asked with (RFC 6891). */
export function answer(message: Uint8Array, data: Uint8Array): Uint8Array {
  const { type, endOffset } = questionOf(message);
  const hasEdns = message[11] === 1;
  const record = [0xc0, HEADER_BYTES, type >>> 8, type & 0xff, 0, CLASS_IN, 0, 0, 0, 60, data.length >>> 8, data.length & 0xff];
  const edns = hasEdns ? [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0] : [];
  const header = [message[0]!, message[1]!, 0x85, 0, 0, 1, 0, 1, 0, 0, 0, hasEdns ? 1 : 0];
  return Uint8Array.from([...header, ...message.subarray(HEADER_BYTES, endOffset), ...record, ...data, ...edns]);
}

/** Data of TXT: strings of 255 bytes each, so many bytes in all. */
export function longText(lenBytes: number): Uint8Array {
  const strings: number[] = [];
  for (let left = lenBytes; left > 0; left -= 255) strings.push(Math.min(left, 255), ...new Array<number>(Math.min(left, 255)).fill(0x78));
  return Uint8Array.from(strings);
}
