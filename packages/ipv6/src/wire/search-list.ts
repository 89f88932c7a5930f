/** A label, and a whole name as it is encoded (RFC 1035 §2.3.4). */
const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;
/** What hosts are called (RFC 1123 §2.1), and an underscore. */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?$/;

/** Domain names as RFC 1035 §3.1 has them, without compression, padded with zeros to whole units of 8 bytes (RFC 8106 §5.2). */
export function emitSearchList(names: readonly string[]): Uint8Array {
  const bytes = names.flatMap((name) => [...name.split('.').flatMap((label) => [label.length, ...codesOf(label)]), 0]);
  while ((bytes.length & 7) !== 0) bytes.push(0);
  return Uint8Array.from(bytes);
}

/** Whether it can be said: labels of 1 to 63 letters, digits, - and _, of 255 bytes in all. */
export function isDomainName(name: string): boolean {
  const labels = name.split('.');
  return name.length + 2 <= MAX_NAME_BYTES && labels.every((label) => label.length <= MAX_LABEL_BYTES && LABEL.test(label));
}

/** The names between two offsets. Null: one of them is malformed, and then none of the option counts (RFC 8106 §6.3). */
export function parseSearchList(view: DataView, from: number, endOffset: number): string[] | null {
  const names: string[] = [];
  let at = from;
  while (at < endOffset && view.getUint8(at) !== 0) {
    const labels: string[] = [];
    for (;;) {
      if (at >= endOffset) return null;
      const lenBytes = view.getUint8(at++);
      if (lenBytes === 0) break;
      if (lenBytes > MAX_LABEL_BYTES || at + lenBytes > endOffset) return null;
      labels.push(textOf(view, at, lenBytes));
      at += lenBytes;
    }
    const name = labels.join('.');
    if (!isDomainName(name)) return null;
    names.push(name);
  }
  return names;
}

function codesOf(label: string): number[] {
  return Array.from(label, (letter) => letter.charCodeAt(0) & 0x7f);
}

function textOf(view: DataView, at: number, lenBytes: number): string {
  return String.fromCharCode(...Array.from({ length: lenBytes }, (_, index) => view.getUint8(at + index)));
}
