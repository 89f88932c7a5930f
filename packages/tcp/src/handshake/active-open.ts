import { ADDRESS_FAMILY } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import { enter } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { TCP_EVENT } from '../machine/state.ts';
import { familyOf } from './arrived-flow.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { InitialWindow } from './initial-window.ts';
import { beginSending } from './opened-connection.ts';
import { peerMss } from './syn-acks.ts';

/** OPEN, active (RFC 9293 §3.10.1): the SYN. What answers it: `syn-sent.ts`; that it is sent again: the machine's timers. */
export class ActiveOpen {
  readonly #host: HandshakeHost;
  readonly #machine: Machine;
  readonly #secrets: FlowSecrets;
  readonly #window = new InitialWindow();

  constructor(host: HandshakeHost, machine: Machine, secrets: FlowSecrets) {
    this.#host = host;
    this.#machine = machine;
    this.#secrets = secrets;
  }

  /** A SYN that cannot be sent at present (memory, no way) is sent when its timer ends, as in Linux. */
  begin(conn: Connection): void {
    const { counters, clock } = this.#host;
    const { sock } = conn;
    const secrets = this.#secrets.aim(sock, sock.localPort, sock.remotePort);
    // Where it took the place of a TIME-WAIT its numbers go on behind it.
    beginSending(conn, conn.writeSeq !== 0 ? conn.writeSeq : secrets.initialSequence(clock.nowUs));
    conn.tsOffset = secrets.tsOffset();
    this.#chooseWindow(conn);
    enter(conn, TCP_EVENT.CONNECT);
    conn.sndNxt = (conn.iss + 1) | 0;
    conn.lastSentMs = clock.nowMs;
    // Of the first SYN, until it is answered.
    conn.lastDataSentMs = clock.nowMs;
    counters['active-opens'].value++;
    this.#host.transmit(conn, TCP_FLAG.SYN, conn.iss, 0);
    this.#machine.begin(conn);
  }

  #chooseWindow(conn: Connection): void {
    const host = this.#host;
    const { settings } = host;
    const isIpv4 = familyOf(conn.sock) === ADDRESS_FAMILY.INET;
    conn.peerMssBytes = peerMss(0, isIpv4);
    conn.toldMssBytes = this.#host.toldMssOf(conn) || conn.peerMssBytes;
    const userClamp = conn.extra === null ? 0 : conn.extra.windowClamp;
    const window = this.#window;
    const full = host.fullBytes(conn);
    window.choose(full, conn.toldMssBytes, userClamp, settings.windowScaling, settings.rmem[2]!, host.isMemoryShort());
    conn.rcvShift = window.shift;
    conn.rcvWnd = window.windowBytes;
    conn.windowSlowStart = window.windowBytes;
    conn.windowClamp = Math.min(window.clampBytes, Math.max(full, window.windowBytes));
    conn.rcvNxt = 0;
    conn.rcvWup = 0;
    conn.copiedSeq = 0;
  }
}
