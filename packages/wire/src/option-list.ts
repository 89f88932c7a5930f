import { atMost, inRange, refused } from './field-range.ts';

/**
 * Options as IPv4 (RFC 791 §3.1) and TCP (RFC 9293 §3.1) write them: a kind; then, but for END and NOP, the option's
 * length, these two bytes included, and its data. To walk them, without allocating:
 *
 * ```ts
 * for (let at = offset, step = 0; at < end; at += step) {
 *   step = optionBytes(view, at, end);
 *   if (step === 0) return 'malformed';            // `at` is what a Parameter Problem points at
 *   const kind = view.getUint8(at);
 *   if (kind === OPTION_END) break;
 * }
 * ```
 */
export const OPTION_END = 0;
export const OPTION_NOP = 1;

/** A header is 15 words at most, in both protocols; 5 of them are fixed. */
const MAX_BYTES = 40;

/** Bytes of the option at `offset`, which is before `endOffset`. 0: its length is cut off, below 2, or reaches over the end. */
export function optionBytes(view: DataView, offset: number, endOffset: number): number {
  if (view.getUint8(offset) <= OPTION_NOP) return 1;
  if (offset + 2 > endOffset) return 0;
  const lenBytes = view.getUint8(offset + 1);
  return lenBytes < 2 || offset + lenBytes > endOffset ? 0 : lenBytes;
}

/** An option as a plain value. */
export interface HeaderOption {
  /** 1 to 255; NOP has no data. END is not listed: `emit` pads with it. */
  readonly kind: number;
  readonly data: Uint8Array;
}

/** Those before END. Null: malformed. */
export function parseOptions(bytes: Uint8Array, view: DataView, offset: number, endOffset: number): HeaderOption[] | null {
  const options: HeaderOption[] = [];
  for (let at = offset, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    if (step === 0) return null;
    const kind = view.getUint8(at);
    if (kind === OPTION_END) break;
    options.push({ kind, data: kind === OPTION_NOP ? new Uint8Array(0) : bytes.slice(at + 2, at + step) });
  }
  return options;
}

/** Padded with END to whole words. @param field what an error names. @throws NetError EINVAL, also for more than 40 bytes. */
export function emitOptions(field: string, options: readonly HeaderOption[]): Uint8Array {
  const bytes: number[] = [];
  for (const { kind, data } of options) {
    if (kind === OPTION_END) throw refused(`${field}.kind`, '0 (END)', 'the options before it only: it is written for you');
    bytes.push(inRange(`${field}.kind`, kind, 0xff));
    atMost(`${field}.data`, data.length, kind === OPTION_NOP ? 0 : MAX_BYTES - 2);
    if (kind !== OPTION_NOP) bytes.push(data.length + 2, ...data);
  }
  while (bytes.length % 4 !== 0) bytes.push(OPTION_END);
  atMost(field, bytes.length, MAX_BYTES);
  return Uint8Array.from(bytes);
}
