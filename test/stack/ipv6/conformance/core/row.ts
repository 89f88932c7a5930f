import { expect, test } from 'vitest';
import type { RawPacket } from '../../bad-input/row.ts';
import { bytesOf, icmp, rawPacket } from '../../bad-input/row.ts';
import type { Sent, Tester } from './tester.ts';
import { HOST, PEER } from './tester.ts';

/** What the tester sends, and each byte that it waits for. */
export interface Step {
  readonly in?: readonly Frame[];
  /** Time that is given to the host. */
  readonly ms?: number;
  readonly out?: readonly Frame[];
}
/** On link 0, unless it says otherwise. */
export type Frame = Uint8Array | Sent;

export interface Row {
  /** '8200 §4.2' */
  readonly rfc: string;
  readonly name: string;
  readonly steps: readonly Step[];
  readonly router?: true;
  readonly settings?: Readonly<Record<string, number | boolean>>;
}

const sentOf = (frame: Frame): Sent => (frame instanceof Uint8Array ? { link: 0, bytes: frame } : frame);
const textOf = (frame: Frame): string => `${sentOf(frame).link}: ${Buffer.from(sentOf(frame).bytes).toString('hex')}`;

/** One test a row. @param tester is there when tests run. */
export function testRows(rows: readonly Row[], tester: () => Tester): void {
  test('no two rows are the same', () => expect(new Set(rows.map(({ rfc, name }) => `${rfc} ${name}`)).size).toBe(rows.length));
  test.each(rows.map((row) => [row.rfc, row.name, row] as const))('RFC %s: %s', async (_rfc, _name, row) => runRow(row, tester()));
}

async function runRow({ steps, router, settings = {} }: Row, tester: Tester): Promise<void> {
  const { sysctl } = tester.host.kernel;
  const changed = { ...settings, ...(router === true ? { 'net.ipv6.conf.all.forwarding': true } : {}) };
  const before = Object.keys(changed).map((name) => [name, sysctl.get(name)] as const);
  for (const [name, value] of Object.entries(changed)) sysctl.set(name, value);
  await tester.take(1);
  for (const [i, { in: frames = [], ms = 2, out = [] }] of steps.entries()) {
    for (const frame of frames) tester.send(sentOf(frame));
    expect([i, (await tester.take(ms)).map(textOf)]).toEqual([i, out.map(textOf)]);
  }
  for (const [name, value] of before) sysctl.set(name, value);
}

/** One frame in; what comes out at once. */
export function row(rfc: string, name: string, frame: Frame, out: readonly Frame[], more: Partial<Row> = {}): Row {
  return { rfc, name, steps: [{ in: [frame], out }], ...more };
}

/** On link 1. */
export function beyond(bytes: Uint8Array): Sent {
  return { link: 1, bytes };
}

export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7);
}

const PROBLEM = 4;
/** What of a packet an error quotes at most (RFC 4443 §2.4 c). */
const QUOTE_BYTES = 1280 - 48;

/** An ICMPv6 error, all of it. @param about the packet that it quotes. @param ends of the error. */
export function error(type: number, code: number, rest: number, about: Uint8Array, ends: RawPacket = {}): Uint8Array {
  const packet = { src: HOST, dst: PEER, ...ends };
  return rawPacket(58, icmp(type, code, rest, about.slice(0, QUOTE_BYTES), packet), packet);
}

export function problem(code: number, pointer: number, about: Uint8Array, ends: RawPacket = {}): Uint8Array {
  return error(PROBLEM, code, pointer, about, ends);
}

/** An echo request. @param packet its ends; by default from PEER to HOST. */
export function request(data: Uint8Array = counting(8), packet: RawPacket = {}, rest = 0x12340001): Uint8Array {
  return rawPacket(58, icmp(128, 0, rest, data, packet), packet);
}

/** The reply to {@link request}, by default from HOST to PEER. */
export function reply(data: Uint8Array = counting(8), packet: RawPacket = {}, rest = 0x12340001): Uint8Array {
  const back = { src: HOST, dst: PEER, ...packet };
  return rawPacket(58, icmp(129, 0, rest, data, back), back);
}

/** Puts extension headers, in hexadecimal, before what the packet has; all of them but the last name the next. @param first number of the first. */
export function behind(first: number, headers: string, packet: Uint8Array): Uint8Array {
  const extension = bytesOf(headers);
  const whole = bytesOf(packet.slice(0, 40), extension, packet.slice(40));
  whole[6] = first;
  new DataView(whole.buffer).setUint16(4, whole.length - 40);
  return whole;
}

/** The packet as its source cuts it, identification 0. @param pieceBytes of payload in each but the last. */
export function cutUp(packet: Uint8Array, pieceBytes: number, id = 0): Uint8Array[] {
  const payload = packet.slice(40);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += pieceBytes) {
    const more = at + pieceBytes < payload.length;
    pieces.push(piece(packet, at, Math.min(at + pieceBytes, payload.length), id, more));
  }
  return pieces;
}

/** A fragment of the packet: bytes of its payload. */
export function piece(packet: Uint8Array, from: number, to: number, id: number, more = to < packet.length - 40, at = from): Uint8Array {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint8(0, packet[6]!);
  view.setUint16(2, at | (more ? 1 : 0));
  view.setInt32(4, id);
  const whole = bytesOf(packet.slice(0, 40), header, packet.slice(40 + from, 40 + to));
  whole[6] = 44;
  new DataView(whole.buffer).setUint16(4, whole.length - 40);
  return whole;
}
