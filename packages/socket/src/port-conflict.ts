import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, SOCK_FLAG, SOCK_TYPE } from '@softnet/contract';
import { isIpv4, isWild } from './flow-match.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { REUSEADDR, REUSEPORT, V6ONLY, LISTENING } = SOCK_FLAG;

/**
 * Is it in the way of the young one, which wants the port that it has? Linux's rules (`inet_rcv_saddr_equal`, `udp_lib_lport_inuse`, `inet_csk_bind_conflict`).
 * @param isChosen the port is one of many that would do: then streams share it with nobody who may be meant, whatever both say.
 */
export function conflicts(young: SockCommon, old: SockCommon, isChosen = false): boolean {
  if (young === old) return false;
  if (young.ifindex !== 0 && old.ifindex !== 0 && young.ifindex !== old.ifindex) return false;
  if ((!isChosen || !isStream(young)) && maySharePort(young, old)) return false;
  return sharesAddress(young, old);
}

function maySharePort(young: SockCommon, old: SockCommon): boolean {
  if (bothSay(young, old, REUSEADDR) && !isListener(old)) return true;
  return bothSay(young, old, REUSEPORT) && uidOf(young) === uidOf(old);
}

/** Does who is bound to a port keep it from being chosen for a connection? From a stream by whatever address, as in Linux. */
export function keepsPort(bound: SockCommon, young: SockCommon): boolean {
  return isStream(young) || conflicts(young, bound);
}

/** Are both the same flow, seen from here? */
export function isSameFlow(one: SockCommon, other: SockCommon): boolean {
  return (
    one !== other &&
    one.remotePort === other.remotePort &&
    one.remote3 === other.remote3 &&
    one.remote2 === other.remote2 &&
    one.remote1 === other.remote1 &&
    one.remote0 === other.remote0 &&
    isSameLocal(one, other) &&
    (one.ifindex === other.ifindex || one.ifindex === 0 || other.ifindex === 0)
  );
}

/** Could one packet be for both of them? */
function sharesAddress(one: SockCommon, other: SockCommon): boolean {
  if (isWild(one)) return isWild(other) ? meetsWild(one, other) : takes(one, other);
  return isWild(other) ? takes(other, one) : isSameLocal(one, other);
}

/** 0.0.0.0 and `::` meet unless the latter is V6ONLY. */
function meetsWild(one: SockCommon, other: SockCommon): boolean {
  if (one.family === other.family) return true;
  const dual = one.family === INET6 ? one : other;
  return (dual.flags & V6ONLY) === 0;
}

/** Does one without an address take what comes to the other's address? */
function takes(wild: SockCommon, bound: SockCommon): boolean {
  const ipv4 = isIpv4(bound.local0, bound.local1, bound.local2);
  if (wild.family === INET) return ipv4;
  return !ipv4 || (wild.flags & V6ONLY) === 0;
}

function isSameLocal(one: SockCommon, other: SockCommon): boolean {
  return one.local3 === other.local3 && one.local2 === other.local2 && one.local1 === other.local1 && one.local0 === other.local0;
}

function bothSay(one: SockCommon, other: SockCommon, flag: number): boolean {
  return (one.flags & other.flags & flag) !== 0;
}

/** Of a stream: REUSEADDR lets nobody take its newcomers. Of datagrams all that are bound listen, and REUSEADDR shares them. */
function isListener(sock: SockCommon): boolean {
  return (sock.flags & LISTENING) !== 0 && isStream(sock);
}

function isStream({ ops: { type } }: SockCommon): boolean {
  return type === SOCK_TYPE.STREAM || type === SOCK_TYPE.DCCP || type === SOCK_TYPE.SEQPACKET;
}

function uidOf({ options }: SockCommon): number {
  return options === null ? 0 : options.uid;
}
