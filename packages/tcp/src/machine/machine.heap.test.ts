import type { Skb } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import { FakeHost, MachineEnd } from '../testing/machine-pair.ts';
import { putSack } from '../wire/put-options.ts';
import { FLAG } from './connection.ts';
import { Segment } from './segment.ts';

const { ACK } = TCP_FLAG;

/** What is sent is not even looked at. */
class QuietHost extends FakeHost {
  override transmit(): boolean {
    return true;
  }
}

function stand(): { end: MachineEnd; segment: Segment; skb: Skb } {
  const end = new MachineEnd(0, 0, { host: new QuietHost(), flags: FLAG.SACK });
  end.conn.sndWnd = 60_000;
  const segment = new Segment();
  segment.flags = ACK;
  segment.window = 60_000;
  return { end, segment, skb: {} as Skb };
}

/** Each is a round of several segments. */
function grown(round: (call: number) => void): number {
  return heapPerCall(8, round, 2000);
}

test('once warm, nothing is allocated: for data that come, and are read', () => {
  const { end, segment, skb } = stand();
  const { conn, machine, host } = end;
  const bytes = grown(() => {
    segment.seq = conn.rcvNxt;
    segment.ack = conn.sndUna;
    segment.lenBytes = 1000;
    segment.skb = skb;
    machine.arrives(conn, segment);
    host.unreadBytes = 0;
    conn.copiedSeq = conn.rcvNxt;
    machine.readSome(conn);
    end.at((host.clock.nowMs + 1) & 0x3fffffff);
  });
  expect(bytes).toBeLessThan(8);
});

test('for data that go, and are acknowledged', () => {
  const { end, segment } = stand();
  const { conn, machine, host } = end;
  const bytes = grown(() => {
    conn.writeSeq = conn.pushSeq = (conn.writeSeq + 3000) | 0;
    machine.push(conn);
    segment.seq = conn.rcvNxt;
    segment.ack = conn.sndNxt;
    machine.arrives(conn, segment);
    end.at((host.clock.nowMs + 1) & 0x3fffffff);
  });
  expect(bytes).toBeLessThan(8);
});

test('for a loss and its repair by SACK, and for what comes out of order', () => {
  const { end, segment, skb } = stand();
  const { conn, machine, host } = end;
  const view = new DataView(new ArrayBuffer(16));
  const edges = new Int32Array(2);
  segment.view = view;
  segment.options.sackAt = 2;
  const arrive = (seq: number, ack: number, lenBytes: number): void => {
    segment.seq = seq;
    segment.ack = ack;
    segment.lenBytes = lenBytes;
    segment.skb = skb;
    machine.arrives(conn, segment);
    segment.options.sackBlocks = 0;
  };
  const bytes = grown(() => {
    conn.congestion!.cwnd = 20;
    conn.writeSeq = conn.pushSeq = (conn.writeSeq + 10_000) | 0;
    machine.push(conn);
    const una = conn.sndUna;
    edges[0] = (una + 1000) | 0;
    edges[1] = (una + 6000) | 0;
    putSack(view, 0, edges, 1);
    segment.options.sackBlocks = 1;
    arrive(conn.rcvNxt, una, 0);
    arrive(conn.rcvNxt, conn.sndNxt, 0);
    arrive((conn.rcvNxt + 1000) | 0, conn.sndUna, 1000);
    arrive(conn.rcvNxt, conn.sndUna, 1000);
    host.unreadBytes = 0;
    conn.copiedSeq = conn.rcvNxt;
    machine.readSome(conn);
    end.at((host.clock.nowMs + 1) & 0x3fffffff);
  });
  expect(host.counters['fast-recoveries'].value).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(16);
});
