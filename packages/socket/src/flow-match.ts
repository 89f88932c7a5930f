import type { FlowKey, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, SOCK_FLAG } from '@softnet/contract';

const { INET, INET6 } = ADDRESS_FAMILY;

/** How much of a flow a socket names, and so in which chains it is: the most is asked first. */
export const TIER = Object.freeze({ PORT: 0, END: 1, FLOW: 2 } as const);

/** What makes one socket match better than another one of its tier; one bound to no interface, of IPv6, that takes an IPv4 flow has 0. */
export const SCORE = Object.freeze({ NATIVE: 1, BOUND: 2 } as const);

export function isConnected(sock: SockCommon): boolean {
  return (sock.remote0 | sock.remote1 | sock.remote2 | sock.remote3) !== 0;
}

/** Bound to no address: 0.0.0.0 or `::`. */
export function isWild(sock: SockCommon): boolean {
  return (sock.local0 | sock.local1 | sock.local2 | sock.local3) === 0;
}

export function tierOf(sock: SockCommon): number {
  return isConnected(sock) ? TIER.FLOW : isWild(sock) ? TIER.PORT : TIER.END;
}

/** Is this flow IPv4's? Where it names no local address, its peer's says. */
export function isIpv4Flow(key: FlowKey): boolean {
  if ((key.local0 | key.local1 | key.local2 | key.local3) === 0) return isIpv4(key.remote0, key.remote1, key.remote2);
  return isIpv4(key.local0, key.local1, key.local2);
}

export function isIpv4(word0: number, word1: number, word2: number): boolean {
  return word0 === 0 && word1 === 0 && word2 === IPV4_WORD2;
}

/** Takes a socket that names no address flows of this family? An IPv6 one IPv4's too, unless it is V6ONLY (RFC 3493 §3.7). */
function takesFamily(sock: SockCommon, ipv4: boolean): boolean {
  if (sock.family === INET) return ipv4;
  return !ipv4 || (sock.family === INET6 && (sock.flags & SOCK_FLAG.V6ONLY) === 0);
}

/**
 * How well a socket of this tier's chain matches: -1 not at all, else the higher the better: bound to the interface, then
 * of the family itself.
 */
export function scoreOf(sock: SockCommon, key: FlowKey, tier: number, ipv4: boolean): number {
  if (sock.localPort !== key.localPort || sock.protocol !== key.protocol) return -1;
  if (sock.ifindex !== 0 && sock.ifindex !== key.ifindex) return -1;
  if (tierOf(sock) !== tier || isDead(sock)) return -1;
  if (tier === TIER.FLOW && !hasRemote(sock, key)) return -1;
  if (tier === TIER.PORT ? !takesFamily(sock, ipv4) : !hasLocal(sock, key)) return -1;
  return (sock.ifindex === 0 ? 0 : SCORE.BOUND) + (ipv4 && sock.family === INET6 ? 0 : SCORE.NATIVE);
}

/** Released, but not taken out: its protocol was torn off. */
function isDead(sock: SockCommon): boolean {
  return sock.holdNext === null && sock.holdKind !== null;
}

function hasLocal(sock: SockCommon, key: FlowKey): boolean {
  return sock.local0 === key.local0 && sock.local1 === key.local1 && sock.local2 === key.local2 && sock.local3 === key.local3;
}

function hasRemote(sock: SockCommon, key: FlowKey): boolean {
  return (
    sock.remotePort === key.remotePort &&
    sock.remote0 === key.remote0 &&
    sock.remote1 === key.remote1 &&
    sock.remote2 === key.remote2 &&
    sock.remote3 === key.remote3
  );
}
