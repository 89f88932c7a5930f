import { ERRNO, TCP_SOCKET_OPTION } from '@softnet/contract';
import { intAt } from '@softnet/inet';
import type { Connection } from '../machine/connection.ts';
import { extraOf, FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { bitOf, isIn, TCP_STATE } from '../machine/state.ts';
import type { CongestionChoice } from './congestion-choice.ts';
import { defermentRetries, defermentSec } from './defer-accept.ts';
import { putIntBytes } from './int-bytes.ts';
import { mtuOf } from './segment-size.ts';
import type { SocketSettings } from './settings.ts';
import type { TcpHost } from './tcp-host.ts';
import type { Backlog } from './tcp-info.ts';
import { writeTcpInfo } from './tcp-info.ts';

const { EINVAL, ENOENT, ENOPROTOOPT, EOPNOTSUPP, EPERM } = ERRNO;
const O = TCP_SOCKET_OPTION;
/** Linux's bounds (include/net/tcp.h). */
const LEAST_MSS_BYTES = 88;
const MOST_MSS_BYTES = 32767;
const MOST_KEEPALIVE_SEC = 32767;
const MOST_KEEPALIVE_PROBES = 127;
const MOST_SYN_RETRIES = 127;
const MOST_LINGER2_SEC = 120;
/** Half of SOCK_MIN_RCVBUF. */
const LEAST_CLAMP_BYTES = 1152;
const NAME_BYTES = 16;
const DEFAULT_MSS_BYTES = 536;
/** What there is not, and so is off. */
const OFF: readonly number[] = Object.freeze([
  O.THIN_LINEAR_TIMEOUTS,
  O.THIN_DUPACK,
  O.REPAIR,
  O.FASTOPEN,
  O.FASTOPEN_CONNECT,
  O.FASTOPEN_NO_COOKIE,
]);
const ESTABLISHED: number = bitOf(TCP_STATE.ESTABLISHED) | bitOf(TCP_STATE.CLOSE_WAIT);
const UNOPENED: number = bitOf(TCP_STATE.CLOSED) | bitOf(TCP_STATE.LISTEN);

/** SOL_TCP of Linux's tcp(7), with its ranges and errnos. */
export class TcpOptions {
  readonly #host: TcpHost;
  readonly #settings: SocketSettings;
  readonly #machine: Machine;
  readonly #choice: CongestionChoice;
  /** Of who listens. */
  readonly #backlogOf: (conn: Connection) => Backlog | null;
  /** TCP_NOTSENT_LOWAT may let a user write. */
  readonly #roomChanged: (conn: Connection) => void;

  constructor(
    host: TcpHost,
    machine: Machine,
    choice: CongestionChoice,
    backlogOf: (conn: Connection) => Backlog | null,
    roomChanged: (conn: Connection) => void,
  ) {
    this.#host = host;
    this.#settings = host.settings;
    this.#machine = machine;
    this.#choice = choice;
    this.#backlogOf = backlogOf;
    this.#roomChanged = roomChanged;
  }

  set(conn: Connection, name: number, value: Uint8Array): number {
    if (name === O.CONGESTION) return this.#setCongestion(conn, value);
    if (name === O.ULP) return value.length < 1 ? -EINVAL : -ENOENT;
    if (name === O.FASTOPEN_KEY) return -EOPNOTSUPP;
    if (value.length < 4) return -EINVAL;
    const word = intAt(value, 0);
    const kept = this.#setExtra(conn, name, word);
    return kept === null ? this.#setFlag(conn, name, word) : kept;
  }

  /** What hangs on `extra`: 0, or -errno; null: it is not one of those. */
  #setExtra(conn: Connection, name: number, word: number): number | null {
    switch (name) {
      case O.KEEPIDLE:
        return this.#keep(conn, 'keepIdleSec', word, 1, MOST_KEEPALIVE_SEC);
      case O.KEEPINTVL:
        return this.#keep(conn, 'keepIntervalSec', word, 1, MOST_KEEPALIVE_SEC);
      case O.KEEPCNT:
        return this.#keep(conn, 'keepProbes', word, 1, MOST_KEEPALIVE_PROBES);
      case O.SYNCNT:
        return this.#keep(conn, 'synRetries', word, 1, MOST_SYN_RETRIES);
      case O.USER_TIMEOUT:
        return this.#keep(conn, 'userTimeoutMs', word, 0, 0x7fffffff);
      case O.LINGER2:
        extraOf(conn).linger2Sec = word < 0 ? -1 : Math.min(word, MOST_LINGER2_SEC);
        return 0;
      case O.DEFER_ACCEPT:
        extraOf(conn).deferAccept = defermentRetries(word);
        return 0;
      case O.NOTSENT_LOWAT:
        // An unsigned one; 0 is the setting.
        extraOf(conn).notSentLowBytes = word < 0 ? 0x7fffffff : word;
        this.#roomChanged(conn);
        return 0;
      case O.WINDOW_CLAMP:
        return this.#setClamp(conn, word);
      case O.INQ:
        if (word !== 0 && word !== 1) return -EINVAL;
        extraOf(conn).tellsQueue = word === 1;
        return 0;
      default:
        return null;
    }
  }

  #setFlag(conn: Connection, name: number, word: number): number {
    switch (name) {
      case O.NODELAY:
        put(conn, FLAG.NO_DELAY, word !== 0);
        if (word !== 0) this.#push(conn);
        return 0;
      case O.CORK:
        put(conn, FLAG.CORK, word !== 0);
        if (word === 0) {
          conn.flags &= ~FLAG.MORE;
          this.#push(conn);
        }
        return 0;
      case O.MAXSEG:
        if (word !== 0 && (word < LEAST_MSS_BYTES || word > MOST_MSS_BYTES)) return -EINVAL;
        conn.userMssBytes = word;
        return 0;
      case O.QUICKACK:
        return this.#setQuickAck(conn, word);
      case O.SAVE_SYN:
        if (word < 0 || word > 2) return -EINVAL;
        put(conn, FLAG.SAVE_SYN, word !== 0);
        return 0;
      case O.THIN_LINEAR_TIMEOUTS:
      case O.THIN_DUPACK:
        return word < 0 || word > 1 ? -EINVAL : 0;
      case O.REPAIR:
      case O.REPAIR_QUEUE:
      case O.QUEUE_SEQ:
      case O.REPAIR_OPTIONS:
      case O.REPAIR_WINDOW:
      case O.TIMESTAMP:
        // As Linux answers who has no CAP_NET_ADMIN: a connection is moved by freezing it.
        return -EPERM;
      case O.FASTOPEN:
      case O.FASTOPEN_CONNECT:
      case O.FASTOPEN_NO_COOKIE:
        return -EOPNOTSUPP;
      default:
        return -ENOPROTOOPT;
    }
  }

  get(conn: Connection, name: number, value: Uint8Array): number {
    switch (name) {
      case O.INFO:
        return writeTcpInfo(conn, value, this.#host.clock, this.#settings, mtuOf(conn.sock), this.#backlogOf(conn));
      case O.CONGESTION:
        return putName(value, this.#choice.nameOf(conn));
      case O.CC_INFO:
      case O.ULP:
        return 0;
      case O.SAVED_SYN:
        return takeSavedSyn(conn, value);
      case O.REPAIR_QUEUE:
      case O.QUEUE_SEQ:
        return -EINVAL;
      case O.REPAIR_WINDOW:
        return -EPERM;
    }
    const number = this.#numberOf(conn, name);
    return number === null ? -ENOPROTOOPT : putIntBytes(value, number);
  }

  /** Null: there is no such option. */
  #numberOf(conn: Connection, name: number): number | null {
    const { flags, extra } = conn;
    const s = this.#settings;
    switch (name) {
      case O.NODELAY:
        return bit(flags, FLAG.NO_DELAY);
      case O.CORK:
        return bit(flags, FLAG.CORK);
      case O.MAXSEG:
        return isIn(conn.sock.state, UNOPENED) ? conn.userMssBytes || DEFAULT_MSS_BYTES : conn.segmentBytes;
      case O.KEEPIDLE:
        return extra?.keepIdleSec || s.keepaliveTime;
      case O.KEEPINTVL:
        return extra?.keepIntervalSec || s.keepaliveIntvl;
      case O.KEEPCNT:
        return extra?.keepProbes || s.keepaliveProbes;
      case O.SYNCNT:
        return extra?.synRetries || s.synRetries;
      case O.LINGER2:
        return extra?.linger2Sec || s.finTimeout;
      case O.DEFER_ACCEPT:
        return defermentSec(extra?.deferAccept ?? 0);
      case O.WINDOW_CLAMP:
        return extra?.windowClamp || (isIn(conn.sock.state, UNOPENED) ? 0 : conn.windowClamp);
      case O.QUICKACK:
        return conn.ackPolicy.isInteractive ? 0 : 1;
      case O.USER_TIMEOUT:
        return extra?.userTimeoutMs ?? 0;
      case O.NOTSENT_LOWAT:
        return Math.max(0, extra?.notSentLowBytes ?? 0);
      case O.TIMESTAMP:
        return (this.#host.clock.nowMs + conn.tsOffset) | 0;
      case O.SAVE_SYN:
        return bit(flags, FLAG.SAVE_SYN);
      case O.INQ:
        return extra?.tellsQueue === true ? 1 : 0;
      default:
        return OFF.includes(name) ? 0 : null;
    }
  }

  #keep(conn: Connection, field: NumberOption, word: number, least: number, most: number): number {
    if (word < least || word > most) return -EINVAL;
    extraOf(conn)[field] = word;
    if (field === 'keepIdleSec') this.#machine.keepaliveChanged(conn);
    return 0;
  }

  #setCongestion(conn: Connection, value: Uint8Array): number {
    if (value.length < 1) return -EINVAL;
    const end = value.indexOf(0);
    const name = new TextDecoder().decode(value.subarray(0, Math.min(end < 0 ? value.length : end, NAME_BYTES - 1)));
    if (!this.#choice.has(name)) return -ENOENT;
    const error = this.#choice.choose(conn, name);
    if (error === 0) extraOf(conn).congestionName = name;
    return error;
  }

  #setClamp(conn: Connection, word: number): number {
    if (word === 0) {
      if (conn.sock.state !== TCP_STATE.CLOSED) return -EINVAL;
      extraOf(conn).windowClamp = 0;
      return 0;
    }
    const clamp = Math.max(word, LEAST_CLAMP_BYTES);
    extraOf(conn).windowClamp = clamp;
    conn.windowClamp = clamp;
    if (isIn(conn.sock.state, ESTABLISHED)) conn.windowSlowStart = Math.min(conn.windowSlowStart, clamp);
    return 0;
  }

  /** Linux's `tcp_sock_set_quickack`: not for ever; an even number is for what waits now only. */
  #setQuickAck(conn: Connection, word: number): number {
    const { ackPolicy } = conn;
    ackPolicy.isInteractive = word === 0;
    if (word === 0 || !isIn(conn.sock.state, ESTABLISHED) || (conn.flags & FLAG.ACK_PENDING) === 0) return 0;
    this.#machine.ackNow(conn);
    if ((word & 1) === 0) ackPolicy.isInteractive = true;
    return 0;
  }

  /** What was held back goes. */
  #push(conn: Connection): void {
    if (isIn(conn.sock.state, ESTABLISHED)) this.#machine.push(conn);
  }
}

type NumberOption = 'keepIdleSec' | 'keepIntervalSec' | 'keepProbes' | 'synRetries' | 'userTimeoutMs';

function put(conn: Connection, flag: number, on: boolean): void {
  conn.flags = on ? conn.flags | flag : conn.flags & ~flag;
}

function bit(flags: number, flag: number): number {
  return (flags & flag) === 0 ? 0 : 1;
}

function putName(value: Uint8Array, name: string): number {
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(new TextEncoder().encode(name));
  const count = Math.min(NAME_BYTES, value.length);
  value.set(bytes.subarray(0, count));
  return count;
}

/** TCP_SAVED_SYN: once. */
function takeSavedSyn({ extra }: Connection, value: Uint8Array): number {
  const syn = extra === null ? null : extra.savedSyn;
  if (extra === null || syn === null) return 0;
  if (value.length < syn.length) return -EINVAL;
  value.set(syn);
  extra.savedSyn = null;
  return syn.length;
}
