import { IPV4_OPTION, isIpv4OptionCopied, OPTION_END, OPTION_NOP, optionBytes } from '@softnet/wire';

/** What {@link checkOptions} says: 0, or one of these; a positive number is the offset in the header that a Parameter Problem points at. */
export const OPTIONS_GOOD = 0;
export const OPTIONS_SOURCE_ROUTE = -1;

/** Walks the options of the header at `offset`. @param endOffset behind the header. */
export function checkOptions(view: DataView, offset: number, from: number, endOffset: number): number {
  for (let at = from, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    if (step === 0) return at - offset;
    const kind = view.getUint8(at);
    if (kind === OPTION_END) break;
    if (kind === IPV4_OPTION.LOOSE_SOURCE_ROUTE || kind === IPV4_OPTION.STRICT_SOURCE_ROUTE) return OPTIONS_SOURCE_ROUTE;
  }
  return OPTIONS_GOOD;
}

/** Of fragments behind the first: options that are not copied become NOP (RFC 791 §3.1), so that the header stays as long. */
export function blankUncopied(view: DataView, from: number, endOffset: number): void {
  for (let at = from, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    const kind = view.getUint8(at);
    if (step === 0 || kind === OPTION_END) return;
    if (isIpv4OptionCopied(kind)) continue;
    for (let i = 0; i < step; i++) view.setUint8(at + i, OPTION_NOP);
  }
}
