import { IPV4_HEADER_BYTES, IPV4_MAX_HEADER_BYTES, IPV4_OPTION, ipv4Src, OPTION_END, optionBytes } from '@softnet/wire';
import { checkOptions, FoundOptions, OPTIONS_GOOD } from './header-options.ts';

const MAX_BYTES = IPV4_MAX_HEADER_BYTES - IPV4_HEADER_BYTES;
const ADDRESS_BYTES = 4;
/** Kind, length, pointer. */
const ROUTE_HEAD_BYTES = 3;

/**
 * Options that a packet is sent with. A source route stands here as it stands in the packet: its last address is the destination's
 * place, and the first hop is beside it (RFC 791 §3.1: the header's destination). Kept by a socket, or filled anew by {@link reverseOptions}.
 */
export class OptionBlock {
  /** Of `view`, so many bytes: whole words. */
  lenBytes = 0;
  /** Where the packet goes first; 0: to its destination. */
  firstHop = 0;
  /** The first hop must be on a link of this host. */
  strict = false;
  /** Offset in `view` of the last address of the source route; 0: it has none. */
  lastHopAt = 0;
  readonly view: DataView = new DataView(new ArrayBuffer(MAX_BYTES));
}

/**
 * What a user sets as IP_OPTIONS: whole options, a source route from its first hop on, the destination not in it (Linux's ip(7)).
 * Null: they are no options, or too many.
 */
export function compileOptions(value: Uint8Array): OptionBlock | null {
  if (value.length > MAX_BYTES) return null;
  const header = new DataView(new ArrayBuffer(IPV4_MAX_HEADER_BYTES));
  const endOffset = IPV4_HEADER_BYTES + ((value.length + 3) & ~3);
  for (let i = 0; i < value.length; i++) header.setUint8(IPV4_HEADER_BYTES + i, value[i]!);
  const found = new FoundOptions();
  if (checkOptions(header, 0, endOffset, found) !== OPTIONS_GOOD) return null;
  const block = new OptionBlock();
  for (let i = IPV4_HEADER_BYTES; i < endOffset; i++) block.view.setUint8(i - IPV4_HEADER_BYTES, header.getUint8(i));
  block.lenBytes = endOffset - IPV4_HEADER_BYTES;
  return found.sourceRoute === 0 || beginRoute(block, found.sourceRoute - IPV4_HEADER_BYTES) ? block : null;
}

/** The first hop is taken out, the others move up, and the last place is the destination's. False: no route that could be begun. */
function beginRoute(block: OptionBlock, at: number): boolean {
  const { view } = block;
  const lenBytes = view.getUint8(at + 1);
  const hops = (lenBytes - ROUTE_HEAD_BYTES) / ADDRESS_BYTES;
  if (view.getUint8(at + 2) !== ROUTE_HEAD_BYTES + 1 || hops < 1 || !Number.isInteger(hops)) return false;
  const first = at + ROUTE_HEAD_BYTES;
  block.firstHop = view.getInt32(first);
  block.strict = view.getUint8(at) === IPV4_OPTION.STRICT_SOURCE_ROUTE;
  for (let i = 1; i < hops; i++) view.setInt32(first + (i - 1) * ADDRESS_BYTES, view.getInt32(first + i * ADDRESS_BYTES));
  block.lastHopAt = first + (hops - 1) * ADDRESS_BYTES;
  view.setInt32(block.lastHopAt, 0);
  return true;
}

/**
 * The options of an answer to the packet whose header is at `offset` (RFC 1122 §3.2.1.8 c, §3.2.2.6; Linux's `ip_options_echo`): recorded routes and
 * timestamps go on, a source route that was followed to its end leads back, and nothing else is returned. The packet's options are good.
 * False: a source route was not followed to its end, so there is no way back.
 */
export function reverseOptions(view: DataView, offset: number, endOffset: number, into: OptionBlock): boolean {
  into.lenBytes = 0;
  into.firstHop = 0;
  into.strict = false;
  into.lastHopAt = 0;
  for (let at = offset + IPV4_HEADER_BYTES, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    const kind = view.getUint8(at);
    if (step === 0 || kind === OPTION_END) break;
    if (kind === IPV4_OPTION.RECORD_ROUTE || kind === IPV4_OPTION.TIMESTAMP) append(view, at, step, into);
    else if (kind === IPV4_OPTION.LOOSE_SOURCE_ROUTE || kind === IPV4_OPTION.STRICT_SOURCE_ROUTE) {
      if (!appendReversed(view, at, step, ipv4Src(view, offset), into)) return false;
    }
  }
  while ((into.lenBytes & 3) !== 0) into.view.setUint8(into.lenBytes++, OPTION_END);
  return true;
}

function append(view: DataView, at: number, lenBytes: number, into: OptionBlock): void {
  for (let i = 0; i < lenBytes; i++) into.view.setUint8(into.lenBytes++, view.getUint8(at + i));
}

/**
 * The hops that were recorded, the last one first: it is the next hop; the sender is the destination, and has the last place. A route that
 * begins with the sender is mended (RFC 1812 §5.3.13.4).
 */
function appendReversed(view: DataView, at: number, lenBytes: number, sender: number, into: OptionBlock): boolean {
  const pointer = view.getUint8(at + 2);
  if (pointer <= lenBytes) return false;
  const recorded = Math.floor((lenBytes - ROUTE_HEAD_BYTES) / ADDRESS_BYTES);
  const fromSender = recorded > 0 && view.getInt32(at + ROUTE_HEAD_BYTES) === sender;
  const hops = recorded - Number(fromSender);
  if (hops < 1) return true;
  const start = into.lenBytes;
  into.view.setUint8(start, view.getUint8(at));
  into.view.setUint8(start + 1, ROUTE_HEAD_BYTES + hops * ADDRESS_BYTES);
  into.view.setUint8(start + 2, ROUTE_HEAD_BYTES + 1);
  const first = start + ROUTE_HEAD_BYTES;
  for (let i = 0; i < hops - 1; i++) {
    into.view.setInt32(first + i * ADDRESS_BYTES, view.getInt32(at + ROUTE_HEAD_BYTES + (recorded - 2 - i) * ADDRESS_BYTES));
  }
  into.firstHop = view.getInt32(at + ROUTE_HEAD_BYTES + (recorded - 1) * ADDRESS_BYTES);
  into.strict = view.getUint8(at) === IPV4_OPTION.STRICT_SOURCE_ROUTE;
  into.lastHopAt = first + (hops - 1) * ADDRESS_BYTES;
  into.view.setInt32(into.lastHopAt, 0);
  into.lenBytes = first + hops * ADDRESS_BYTES;
  return true;
}

/** Writes them behind the fixed header at `offset`. @param destination of the packet, for the end of a source route. */
export function writeOptions(block: OptionBlock, view: DataView, offset: number, destination: number): void {
  const at = offset + IPV4_HEADER_BYTES;
  for (let i = 0; i < block.lenBytes; i += 4) view.setInt32(at + i, block.view.getInt32(i));
  if (block.lastHopAt !== 0) view.setInt32(at + block.lastHopAt, destination);
}

/** As a user would set them: a source route from its first hop on, without the destination (Linux's `ip_options_undo`). `into` is `lenBytes` long. */
export function writeAsSet({ view, lenBytes, firstHop, lastHopAt }: OptionBlock, into: Uint8Array): void {
  for (let i = 0; i < lenBytes; i++) into[i] = view.getUint8(i);
  if (firstHop === 0) return;
  let at = 0;
  while (at < lastHopAt && view.getUint8(at) !== IPV4_OPTION.LOOSE_SOURCE_ROUTE && view.getUint8(at) !== IPV4_OPTION.STRICT_SOURCE_ROUTE) {
    at += optionBytes(view, at, lenBytes);
  }
  const first = at + ROUTE_HEAD_BYTES;
  into.copyWithin(first + ADDRESS_BYTES, first, lastHopAt);
  for (let i = 0; i < ADDRESS_BYTES; i++) into[first + i] = (firstHop >>> (24 - 8 * i)) & 0xff;
}
