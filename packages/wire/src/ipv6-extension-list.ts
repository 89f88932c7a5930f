import { inRange, refused, word } from './field-range.ts';
import {
  extensionHeaderBytes,
  extensionNextHeader,
  hasIpv6MoreFragments,
  IPV6_EXTENSION,
  IPV6_FRAGMENT_BYTES,
  ipv6FragmentId,
  ipv6FragmentOffsetBytes,
  ipv6RoutingType,
  ipv6SegmentsLeft,
  isExtensionHeader,
  writeIpv6Fragment,
} from './ipv6-extension.ts';
import { IPV6_OPTION, ipv6OptionBytes } from './ipv6-options.ts';
import { viewOf } from './view-of.ts';

/** Extension headers as plain values, for tests and tools (RFC 8200 §4). */
export type ExtensionHeader = OptionsHeader | RoutingHeader | FragmentHeader;

/** Hop-by-hop (§4.3) or destination options (§4.6). */
export interface OptionsHeader {
  readonly type: typeof IPV6_EXTENSION.HOP_BY_HOP | typeof IPV6_EXTENSION.DESTINATION_OPTIONS;
  readonly options: readonly Ipv6Option[];
}

/** Padding is not listed: `emit` writes what is missing behind the last one. */
export interface Ipv6Option {
  readonly type: number;
  /** Up to 255 bytes. */
  readonly data: Uint8Array;
}

/** §4.4. */
export interface RoutingHeader {
  readonly type: typeof IPV6_EXTENSION.ROUTING;
  readonly routingType: number;
  readonly segmentsLeft: number;
  /** Behind segments left: 4 bytes, or 8 more, and so on. */
  readonly data: Uint8Array;
}

/** §4.5. */
export interface FragmentHeader {
  readonly type: typeof IPV6_EXTENSION.FRAGMENT;
  /** A multiple of 8. */
  readonly offsetBytes: number;
  readonly more: boolean;
  /** int32 when parsed; `emit` takes unsigned too. */
  readonly id: number;
}

/** From `offset` to `endOffset`, where a walk found no fault. */
export function parseExtensionHeaders(bytes: Uint8Array, first: number, offset: number, endOffset: number): ExtensionHeader[] {
  const view = viewOf(bytes);
  const headers: ExtensionHeader[] = [];
  let type = first;
  for (let at = offset; at < endOffset; ) {
    const lenBytes = extensionHeaderBytes(view, type, at, endOffset);
    headers.push(parseOne(bytes, view, type, at, lenBytes));
    type = extensionNextHeader(view, at);
    at += lenBytes;
  }
  return headers;
}

function parseOne(bytes: Uint8Array, view: DataView, type: number, at: number, lenBytes: number): ExtensionHeader {
  switch (type) {
    case IPV6_EXTENSION.FRAGMENT: {
      const offsetBytes = ipv6FragmentOffsetBytes(view, at);
      return { type, offsetBytes, more: hasIpv6MoreFragments(view, at), id: ipv6FragmentId(view, at) };
    }
    case IPV6_EXTENSION.ROUTING: {
      const data = bytes.slice(at + 4, at + lenBytes);
      return { type, routingType: ipv6RoutingType(view, at), segmentsLeft: ipv6SegmentsLeft(view, at), data };
    }
    default:
      return { type: type as OptionsHeader['type'], options: parseIpv6Options(bytes, view, at + 2, at + lenBytes) };
  }
}

function parseIpv6Options(bytes: Uint8Array, view: DataView, offset: number, endOffset: number): Ipv6Option[] {
  const options: Ipv6Option[] = [];
  for (let at = offset, step = 0; at < endOffset; at += step) {
    step = ipv6OptionBytes(view, at, endOffset);
    const type = view.getUint8(at);
    if (type > IPV6_OPTION.PADN) options.push({ type, data: bytes.slice(at + 2, at + step) });
  }
  return options;
}

/** The chain, and the number that names its first header. @throws NetError EINVAL */
export function emitExtensionHeaders(
  headers: readonly ExtensionHeader[],
  protocol: number,
): { readonly nextHeader: number; readonly bytes: Uint8Array } {
  const later = headers.some((header) => header.type === IPV6_EXTENSION.FRAGMENT && header.offsetBytes > 0);
  if (isExtensionHeader(protocol) && !later) throw refused('ipv6.protocol', String(protocol), 'extension headers in headers');
  const chunks = headers.map((header, index) => emitOne(header, headers[index + 1]?.type ?? protocol));
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { nextHeader: headers[0]?.type ?? protocol, bytes };
}

function emitOne(header: ExtensionHeader, nextHeader: number): Uint8Array {
  if (header.type === IPV6_EXTENSION.FRAGMENT) return emitFragment(header, nextHeader);
  if (header.type === IPV6_EXTENSION.ROUTING) {
    const type = inRange('ipv6.routingType', header.routingType, 0xff);
    return lengthen('ipv6.routing', [nextHeader, 0, type, inRange('ipv6.segmentsLeft', header.segmentsLeft, 0xff), ...header.data]);
  }
  const bytes = [nextHeader, 0];
  for (const { type, data } of header.options) {
    if (type <= IPV6_OPTION.PADN) throw refused('ipv6.option.type', String(type), 'no padding: it is written for you');
    bytes.push(inRange('ipv6.option.type', type, 0xff), inRange('ipv6.option.data.length', data.length, 0xff), ...data);
  }
  const paddingBytes = -bytes.length & 7;
  if (paddingBytes === 1) bytes.push(IPV6_OPTION.PAD1);
  if (paddingBytes > 1) bytes.push(IPV6_OPTION.PADN, paddingBytes - 2, ...new Array<number>(paddingBytes - 2).fill(0));
  return lengthen('ipv6.options', bytes);
}

function emitFragment({ offsetBytes, more, id }: FragmentHeader, nextHeader: number): Uint8Array {
  inRange('ipv6.fragment.offsetBytes', offsetBytes, 0xfff8);
  if ((offsetBytes & 7) !== 0) throw refused('ipv6.fragment.offsetBytes', String(offsetBytes), 'a multiple of 8');
  const bytes = new Uint8Array(IPV6_FRAGMENT_BYTES);
  writeIpv6Fragment(viewOf(bytes), 0, nextHeader, offsetBytes, more, word('ipv6.fragment.id', id));
  return bytes;
}

/** Writes the length: units of 8 bytes behind the first 8. */
function lengthen(field: string, bytes: readonly number[]): Uint8Array {
  if (bytes.length < 8 || bytes.length > 2048 || (bytes.length & 7) !== 0) {
    throw refused(field, `${bytes.length} bytes long`, 'data that make it a multiple of 8, 8 to 2048');
  }
  const header = Uint8Array.from(bytes);
  header[1] = (bytes.length >>> 3) - 1;
  return header;
}
