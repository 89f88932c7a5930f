import {
  extensionHeaderBytes,
  extensionNextHeader,
  hasIpv6MoreFragments,
  IPV6_EXTENSION,
  ipv6FragmentOffsetBytes,
  isExtensionHeader,
} from './ipv6-extension.ts';
import type { Ipv6Limits } from './ipv6-limits.ts';
import type { Ipv6OptionFault } from './ipv6-options.ts';
import { IPV6_OPTION_FAULT, ipv6OptionsFault } from './ipv6-options.ts';

/** What may be wrong with a chain of extension headers: names of drop reasons, and their text. */
export const IPV6_EXTENSION_FAULT = Object.freeze({
  'ipv6.extension-truncated': 'an extension header reaches over the end (RFC 8200 §4, RFC 7112)',
  'ipv6.hop-by-hop-late': 'a hop-by-hop header that does not come first (RFC 8200 §4.1)',
  'ipv6.extension-limit': 'more extension headers than the limit allows (RFC 8504 §5.3)',
  ...IPV6_OPTION_FAULT,
} as const);
export type ExtensionFault = keyof typeof IPV6_EXTENSION_FAULT;

/** What a walk found: kept and filled anew by its caller. Offsets are absolute, -1 where there is none. */
export class Ipv6HeaderChain {
  /** Of what follows the chain: what the last Next Header says. */
  protocol = 0;
  /** Where that stands: the field that a Parameter Problem, code 1, points at. */
  nextHeaderOffset = -1;
  /** Behind the last extension header. */
  end = -1;
  /** Header of the upper layer; -1 in a fragment that is not the first: it begins in another packet. */
  transport = -1;
  hopByHop = -1;
  routing = -1;
  fragment = -1;
  /** The last one. */
  destinationOptions = -1;
  headers = 0;
  /** On a fault: where the header begins that is at fault. */
  fault = -1;
}

/**
 * Walks the extension headers (RFC 8200 §4), each of them whole, its options too, and stops at the first number that
 * is none of the four, or behind a fragment header that is not the first fragment's: what follows is not headers then.
 * @param protocol the Next Header that names what begins at `offset`.
 * @param nextHeaderOffset where that stands.
 * @param endOffset behind the last byte that may be read.
 */
export function walkExtensionHeaders(
  view: DataView,
  protocol: number,
  nextHeaderOffset: number,
  offset: number,
  endOffset: number,
  limits: Ipv6Limits,
  chain: Ipv6HeaderChain,
): ExtensionFault | null {
  begin(chain, protocol, nextHeaderOffset, offset);
  while (isExtensionHeader(chain.protocol)) {
    const at = chain.end;
    chain.fault = at;
    if (++chain.headers > limits.headers) return 'ipv6.extension-limit';
    if (chain.protocol === IPV6_EXTENSION.HOP_BY_HOP && at !== offset) return 'ipv6.hop-by-hop-late';
    const lenBytes = extensionHeaderBytes(view, chain.protocol, at, endOffset);
    if (lenBytes === 0) return 'ipv6.extension-truncated';
    const fault = note(view, at, lenBytes, limits, chain);
    if (fault !== null) return fault;
    chain.protocol = extensionNextHeader(view, at);
    chain.nextHeaderOffset = at;
    chain.end = at + lenBytes;
    if (chain.fragment === at && ipv6FragmentOffsetBytes(view, at) !== 0) break;
  }
  chain.fault = -1;
  chain.transport = isLaterFragment(view, chain) ? -1 : chain.end;
  return null;
}

function begin(chain: Ipv6HeaderChain, protocol: number, nextHeaderOffset: number, offset: number): void {
  chain.protocol = protocol;
  chain.nextHeaderOffset = nextHeaderOffset;
  chain.end = offset;
  chain.transport = -1;
  chain.hopByHop = -1;
  chain.routing = -1;
  chain.fragment = -1;
  chain.destinationOptions = -1;
  chain.headers = 0;
  chain.fault = -1;
}

function note(view: DataView, at: number, lenBytes: number, limits: Ipv6Limits, chain: Ipv6HeaderChain): Ipv6OptionFault | null {
  switch (chain.protocol) {
    case IPV6_EXTENSION.ROUTING:
      chain.routing = at;
      return null;
    case IPV6_EXTENSION.FRAGMENT:
      chain.fragment = at;
      return null;
    case IPV6_EXTENSION.HOP_BY_HOP:
      chain.hopByHop = at;
      return ipv6OptionsFault(view, at, lenBytes, limits.hopByHop);
    default:
      chain.destinationOptions = at;
      return ipv6OptionsFault(view, at, lenBytes, limits.destinationOptions);
  }
}

/** The chain goes on in the first fragment only; a packet within one fragment (RFC 6946) is a first one. */
function isLaterFragment(view: DataView, { fragment }: Ipv6HeaderChain): boolean {
  return fragment >= 0 && ipv6FragmentOffsetBytes(view, fragment) !== 0;
}

/** Whether the chain is that of a part of a packet, the first one too: not of a packet within one fragment (RFC 6946). */
export function isIpv6Fragment(view: DataView, chain: Ipv6HeaderChain): boolean {
  return isLaterFragment(view, chain) || (chain.fragment >= 0 && hasIpv6MoreFragments(view, chain.fragment));
}
