import { SOCK_FLAG } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { ActingHost } from '../testing/acting-host.ts';
import { connectionFault } from '../testing/connection-faults.ts';
import type { FlyingSegment } from '../testing/machine-pair.ts';
import { MachineEnd } from '../testing/machine-pair.ts';
import type { Connection } from './connection.ts';
import { extraOf, FLAG } from './connection.ts';
import { stateName, TCP_STATE } from './state.ts';

const { ACK, FIN, RST, SYN, PSH, URG } = TCP_FLAG;
const { SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, ESTABLISHED } = TCP_STATE;
/** Mutated segments in all; more by this variable. */
const SEGMENTS = Number(process.env.SOFTNET_TCP_SEGMENTS ?? 100_000);
const STATES = [ESTABLISHED, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK];
const OPTIONS = [0, FLAG.SACK, FLAG.TIMESTAMPS, FLAG.SACK | FLAG.TIMESTAMPS];
const EDGES = [0, 1, -1, 2, 100, 1000, -1000, 1460, 64000, -64000, 65535, 0x7fffffff, -0x80000000];

/** A seed's storm: segments, users and time at random, upon one connection after the other. */
class Storm {
  readonly host = new ActingHost({ finTimeout: 60, invalidRatelimit: 50 });
  readonly end: MachineEnd;
  readonly seen = new Set<string>();
  segments = 0;
  #random: number;
  #opened = 0;

  constructor(seed: number) {
    this.#random = seed | 1;
    this.host.draw = this.draw;
    this.host.act = (conn) => this.#use(conn);
    this.end = new MachineEnd(0, 0, { host: this.host });
    this.open();
  }

  readonly draw = (bound: number): number => {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) | 0;
    return (this.#random >>> 8) % bound;
  };

  pick<T>(from: readonly T[]): T {
    return from[this.draw(from.length)]!;
  }

  /** A new connection, in one of the states. */
  open(): void {
    const { host, end } = this;
    const state = STATES[this.#opened++ % STATES.length]!;
    host.failPercent = host.fullPercent = host.actPercent = 0;
    host.edge = null;
    const conn = end.open(this.pick([0, -100, 0x7fffff00, 12345]), this.pick([0, -100, 0x7fffff00, 777]), {
      flags: this.pick(OPTIONS),
      mssBytes: this.pick([1012, 100, 1460]),
    });
    if (this.draw(4) === 0) extraOf(conn).userTimeoutMs = 5000;
    if (this.draw(4) === 0) conn.sock.flags |= SOCK_FLAG.KEEPALIVE;
    end.machine.keepaliveChanged(conn);
    if (state === SYN_RECEIVED) {
      conn.sock.state = SYN_RECEIVED;
      conn.sndUna = conn.iss;
      end.machine.begin(conn);
    } else this.#lead(conn, state);
    host.failPercent = this.pick([0, 0, 10, 50]);
    host.fullPercent = this.pick([0, 0, 20]);
    host.actPercent = this.pick([0, 10, 30]);
    this.seen.add(stateName(conn.sock.state));
    host.sent.length = 0;
  }

  #lead(conn: Connection, state: number): void {
    const { end } = this;
    if (this.draw(2) === 0) end.write(this.draw(5000));
    if (state === CLOSE_WAIT || state === LAST_ACK) end.take({ flags: ACK | FIN });
    if (state !== ESTABLISHED && state !== CLOSE_WAIT) end.machine.close(conn);
    if (state === FIN_WAIT_2) end.take({ ack: conn.sndNxt });
    if (state === CLOSING) end.take({ flags: ACK | FIN });
  }

  /** One thing happens. */
  step(): void {
    const what = this.draw(100);
    if (what < 75) this.#segment();
    else if (what < 88) this.#time();
    else this.#use(this.end.conn);
  }

  #near(seq: number): number {
    return (seq + (this.draw(2) === 0 ? this.pick(EDGES) : this.draw(3000) - 1000)) | 0;
  }

  #segment(): void {
    const { conn } = this.end;
    this.segments++;
    const isWild = (): boolean => this.draw(100) < 25;
    const lenBytes = this.pick([0, 0, 1, 100, 1000, 1460, 4000, 65000]);
    const sack: number[] = [];
    for (let i = this.draw(2) === 0 ? 0 : this.draw(5); i > 0; i--) {
      const left = (conn.sndUna + this.draw(((conn.sndNxt - conn.sndUna) | 0) + 100) - 50) | 0;
      sack.push(left, (left + this.pick([0, 1, -1, 100, 1000, 5000, 0x7fffffff])) | 0);
    }
    const flying: Partial<FlyingSegment> & { urgentPointer: number; segments: number } = {
      ...{ lenBytes, sack },
      flags: isWild()
        ? this.draw(64)
        : this.pick([ACK, ACK, ACK | PSH, ACK | FIN, ACK | URG, this.draw(20) === 0 ? ACK | RST : ACK, ACK | SYN]),
      seq: isWild() ? this.#near(conn.rcvNxt) : conn.rcvNxt,
      ack: isWild() ? this.#near(conn.sndUna) : (conn.sndUna + this.draw(((conn.sndNxt - conn.sndUna) | 0) + 1)) | 0,
      window: this.pick([0, 1, 100, 1000, 64000, 65535]),
      tsVal: isWild() ? this.#near(conn.tsRecent) : (conn.tsRecent + 1) | 0,
      tsEcr: isWild() ? this.#near(this.host.clock.nowMs) : this.host.clock.nowMs,
      urgentPointer: this.pick([0, 1, 10, 65535]),
      segments: lenBytes > 1460 ? 4 : 1,
    };
    this.end.take(flying);
  }

  #time(): void {
    const { end, host } = this;
    const due = end.nextMs;
    const nowMs = this.draw(3) === 0 || due === null ? (host.clock.nowMs + this.draw(100)) | 0 : due;
    if (((nowMs - host.clock.nowMs) | 0) > 0) end.at(nowMs);
    if (due !== null && ((due - host.clock.nowMs) | 0) <= 0) end.machine.onTimeout(end.conn);
  }

  #use(conn: Connection): void {
    const { machine } = this.end;
    const isOpen = (conn.flags & (FLAG.OVER | FLAG.FIN_QUEUED)) === 0;
    switch (this.draw(24)) {
      case 0:
        conn.flags ^= this.pick([FLAG.CORK, FLAG.NO_DELAY, FLAG.MORE, FLAG.SHUT_RECEIVE]);
        machine.push(conn);
        break;
      case 1:
        machine.ackNow(conn);
        break;
      case 2:
        if (this.draw(10) === 0) machine.close(conn);
        break;
      case 3:
        if (this.draw(20) === 0 && (conn.flags & FLAG.CLOSED_BY_USER) === 0)
          machine.closeByUser(conn, this.draw(4) === 0 ? 1 : 0, this.draw(8) === 0);
        break;
      case 4:
        if (this.draw(40) === 0) machine.abort(conn, 103);
        break;
      case 5:
        if ((conn.flags & FLAG.OVER) !== 0) break;
        conn.mssBytes = this.pick([100, 1012, 1460]);
        machine.segmentSizeChanged(conn, this.draw(2) === 0);
        break;
      case 6:
        conn.sndUp = conn.writeSeq;
        if (isOpen) conn.flags |= FLAG.URGENT_SENT;
        machine.push(conn);
        break;
      case 7:
        conn.sock.flags ^= SOCK_FLAG.KEEPALIVE;
        machine.keepaliveChanged(conn);
        break;
      default:
        if (this.draw(2) === 0) this.end.read();
        else if (isOpen) {
          conn.writeSeq = conn.pushSeq = (conn.writeSeq + this.pick([0, 1, 100, 3000, 20_000])) | 0;
          machine.push(conn);
        }
    }
  }
}

describe('segments, users and time at random, in every state', () => {
  test('after each event all numbers are in order, nothing is left over, and whatever waits has a timer', () => {
    const seen = new Set<string>();
    for (let seed = 1, left = SEGMENTS; left > 0; seed++) {
      const storm = new Storm(seed);
      for (let steps = 0; storm.segments < Math.min(10_000, left); steps++) {
        const { conn } = storm.end;
        const { sndUna, rcvNxt } = conn;
        storm.step();
        const isBack = ((conn.sndUna - sndUna) | 0) < 0 || ((conn.rcvNxt - rcvNxt) | 0) < 0;
        const fault = isBack ? 'it went back' : connectionFault(conn, storm.host);
        if (fault !== null) expect.fail(`seed ${seed}, step ${steps}, ${stateName(conn.sock.state)}: ${fault}`);
        storm.host.sent.length = 0;
        if (storm.host.ended !== null || storm.draw(200) === 0) {
          if (storm.host.ended === null) storm.end.machine.abort(conn, 0);
          storm.host.mistakes.length = 0;
          storm.open();
        }
      }
      for (const state of storm.seen) seen.add(state);
      left -= storm.segments;
    }
    expect([...seen].toSorted()).toEqual(STATES.map(stateName).toSorted());
  });
});
