/** What a capture says, as plain values: for tests. Knows what the writer writes, and throws on everything else. */
export interface ParsedCapture {
  readonly application: string;
  readonly interfaces: readonly { readonly linkType: number; readonly name: string; readonly snapLenBytes: number }[];
  readonly packets: readonly ParsedPacket[];
}

interface ParsedPacket {
  readonly interfaceId: number;
  readonly timeUs: number;
  readonly lenBytes: number;
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly comment: string | undefined;
}

/** By draft-ietf-opsawg-pcapng. Lengths, padding and options are checked. */
export function parsePcapng(file: Uint8Array): ParsedCapture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const interfaces: ParsedCapture['interfaces'][number][] = [];
  const packets: ParsedPacket[] = [];
  let application = '';
  for (let at = 0, first = true; at < file.length; first = false) {
    const [type, lenBytes] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    must(lenBytes % 4 === 0 && at + lenBytes <= file.length, `block at ${at} has a wrong length, ${lenBytes}`);
    must(view.getUint32(at + lenBytes - 4, true) === lenBytes, `block at ${at} ends with another length`);
    must(first === (type === 0x0a0d0d0a), 'one section, and it begins the file');
    const end = at + lenBytes - 4;
    if (type === 0x0a0d0d0a) {
      must(view.getUint32(at + 8, true) === 0x1a2b3c4d && view.getUint32(at + 12, true) === 1, 'magic, version 1.0');
      must(view.getBigInt64(at + 16, true) === -1n, 'section length not said');
      application = text(options(file, at + 24, end).get(4));
    } else if (type === 1) {
      const said = options(file, at + 16, end);
      must(said.get(9)?.[0] === 6, 'µs');
      interfaces.push({ linkType: view.getUint16(at + 8, true), name: text(said.get(2)), snapLenBytes: view.getUint32(at + 12, true) });
    } else if (type === 6) packets.push(packet(file, view, at, end, interfaces.length));
    else must(false, `block type ${type}`);
    at += lenBytes;
  }
  return { application, interfaces, packets };
}

function packet(file: Uint8Array, view: DataView, at: number, end: number, interfaces: number): ParsedPacket {
  const interfaceId = view.getUint32(at + 8, true);
  must(interfaceId < interfaces, `packet of interface ${interfaceId}, which is not described`);
  const captured = view.getUint32(at + 20, true);
  const behind = at + 28 + captured;
  const padded = (behind + 3) & ~3;
  must(
    file.subarray(behind, padded).every((byte) => byte === 0),
    'padding of zeros',
  );
  const said = options(file, padded, end);
  const flags = said.get(2);
  return {
    interfaceId,
    timeUs: view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 16, true),
    lenBytes: view.getUint32(at + 24, true),
    bytes: file.slice(at + 28, behind),
    flags: flags === undefined ? 0 : new DataView(flags.buffer, flags.byteOffset).getUint32(0, true),
    comment: said.has(1) ? text(said.get(1)) : undefined,
  };
}

function options(file: Uint8Array, from: number, end: number): Map<number, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = new Map<number, Uint8Array>();
  let at = from;
  for (;;) {
    must(at + 4 <= end, 'options end with their end');
    const [code, lenBytes] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (code === 0) break;
    found.set(code, file.slice(at + 4, at + 4 + lenBytes));
    at += 4 + ((lenBytes + 3) & ~3);
  }
  must(at + 4 === end, 'nothing behind the end of options');
  return found;
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(`no such capture: ${sentence}`);
}
