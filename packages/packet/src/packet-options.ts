import type { SockCommon } from '@softnet/contract';
import { ERRNO, PACKET_OPTION } from '@softnet/contract';
import { intAt, putInt } from '@softnet/inet';
import type { Memberships } from './memberships.ts';
import type { PacketState } from './packet-state.ts';
import { stateOf } from './packet-state.ts';

/** `struct tpacket_stats`. */
const STATISTICS_BYTES = 8;

/** SOL_PACKET. Values as in Linux's ABI. */
export class PacketOptions {
  readonly #memberships: Memberships;

  constructor(memberships: Memberships) {
    this.#memberships = memberships;
  }

  /** 0, or -errno. */
  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name === PACKET_OPTION.ADD_MEMBERSHIP) return this.#memberships.add(sock, value);
    if (name === PACKET_OPTION.DROP_MEMBERSHIP) return this.#memberships.drop(sock, value);
    if (name !== PACKET_OPTION.AUXDATA && name !== PACKET_OPTION.IGNORE_OUTGOING) return -ERRNO.ENOPROTOOPT;
    if (value.length < 4) return -ERRNO.EINVAL;
    const number = intAt(value, 0);
    const state = stateOf(sock);
    if (name === PACKET_OPTION.AUXDATA) state.tellsMore = number !== 0;
    else if (number !== 0 && number !== 1) return -ERRNO.EINVAL;
    else state.ignoresOutgoing = number === 1;
    return 0;
  }

  /** Bytes written, or -errno. */
  get(sock: SockCommon, name: number, value: Uint8Array): number {
    const state = stateOf(sock);
    switch (name) {
      case PACKET_OPTION.STATISTICS:
        return takeStatistics(state, value);
      case PACKET_OPTION.AUXDATA:
        return putNumber(value, state.tellsMore);
      case PACKET_OPTION.IGNORE_OUTGOING:
        return putNumber(value, state.ignoresOutgoing);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }
}

/** All that came, the lost included, and those; from then on it counts anew. */
function takeStatistics(state: PacketState, value: Uint8Array): number {
  const { received, lost } = state;
  state.received = 0;
  state.lost = 0;
  const told = new Uint8Array(STATISTICS_BYTES);
  putInt(told, 0, received + lost);
  putInt(told, 4, lost);
  return put(value, told);
}

function putNumber(value: Uint8Array, isOn: boolean): number {
  return put(value, Uint8Array.of(isOn ? 1 : 0, 0, 0, 0));
}

/** As much as there is room for, as Linux does it. */
function put(value: Uint8Array, told: Uint8Array): number {
  const part = told.subarray(0, value.length);
  value.set(part);
  return part.length;
}
