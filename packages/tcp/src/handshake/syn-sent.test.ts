import { ERRNO } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import { FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ComingSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld, onItsWay } from '../testing/handshake-world.ts';

const { SYN, ACK, RST, FIN, PSH } = TCP_FLAG;
const IRS = 0x7fffffff;
const { SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSED, CLOSE_WAIT } = TCP_STATE;

/** An active open whose SYN is on its way. */
function opening(settings: ConstructorParameters<typeof HandshakeWorld>[0] = {}) {
  const world = new HandshakeWorld(settings);
  const conn = world.connect();
  const [syn] = world.take();
  return { world, conn, syn: syn! };
}

test('the SYN: all that we offer, and a window of whole segments, as Linux', () => {
  const { conn, syn } = opening();
  expect(syn).toMatchObject({ flags: SYN, seq: conn.iss, window: 64240, syn: { mss: 1460, scale: 7, sack: true } });
  expect(syn.stamps![1]).toBe(0);
  expect([conn.sock.state, (conn.sndNxt - conn.iss) | 0]).toEqual([SYN_SENT, 1]);
});

test('what is switched off is not offered', () => {
  const { syn } = opening({ timestamps: false, sack: false, windowScaling: false });
  expect(syn).toMatchObject({ window: 64240, syn: { mss: 1460, scale: -1, sack: false }, stamps: null });
});

/** RFC 9293 §3.10.7.3, each flag and number: the segment (numbers beside ISS and its own), the reason, the answer, the state behind it, the errno. */
type Row = [string, (iss: number) => ComingSegment, string | null, (iss: number) => object[], number, number];
const none = () => [];
const ROWS: Row[] = [
  [
    'SYN, ACK: established',
    (iss) => ({ flags: SYN | ACK, seq: IRS, ack: iss + 1 }),
    null,
    (iss) => [{ flags: ACK, seq: (iss + 1) | 0, ack: (IRS + 1) | 0 }],
    ESTABLISHED,
    0,
  ],
  ['ACK =< ISS: reset', (iss) => ({ flags: ACK, ack: iss }), 'tcp.ack', (iss) => [{ flags: RST, seq: iss }], SYN_SENT, 0],
  [
    'ACK > SND.NXT: reset',
    (iss) => ({ flags: SYN | ACK, seq: IRS, ack: iss + 2 }),
    'tcp.ack',
    (iss) => [{ flags: RST, seq: (iss + 2) | 0 }],
    SYN_SENT,
    0,
  ],
  ['RST with such an ACK: dropped', (iss) => ({ flags: RST | ACK, ack: iss }), 'tcp.ack', none, SYN_SENT, 0],
  ['RST, ACK: refused', (iss) => ({ flags: RST | ACK, ack: iss + 1 }), null, none, CLOSED, ERRNO.ECONNREFUSED],
  [
    'RST, ACK and SYN: refused all the same',
    (iss) => ({ flags: RST | SYN | ACK, seq: IRS, ack: iss + 1 }),
    null,
    none,
    CLOSED,
    ERRNO.ECONNREFUSED,
  ],
  ['RST without ACK (RFC 5961): dropped', () => ({ flags: RST, seq: IRS }), 'tcp.reset', none, SYN_SENT, 0],
  ['SYN, RST without ACK: dropped', () => ({ flags: SYN | RST, seq: IRS }), 'tcp.reset', none, SYN_SENT, 0],
  ['ACK without SYN: dropped', (iss) => ({ flags: ACK, ack: iss + 1 }), 'tcp.no-ack', none, SYN_SENT, 0],
  ['nothing at all: dropped', () => ({ flags: 0, seq: IRS }), 'tcp.no-ack', none, SYN_SENT, 0],
  ['FIN: dropped', () => ({ flags: FIN, seq: IRS }), 'tcp.no-ack', none, SYN_SENT, 0],
  [
    'SYN: simultaneous open',
    () => ({ flags: SYN, seq: IRS }),
    null,
    (iss) => [{ flags: SYN | ACK, seq: iss, ack: (IRS + 1) | 0 }],
    SYN_RECEIVED,
    0,
  ],
  [
    'SYN with text: the text comes again',
    () => ({ flags: SYN | PSH, seq: IRS, lenBytes: 10 }),
    null,
    (iss) => [{ flags: SYN | ACK, seq: iss, ack: (IRS + 1) | 0 }],
    SYN_RECEIVED,
    0,
  ],
  [
    'SYN, ACK, FIN: established, and the peer has ended',
    (iss) => ({ flags: SYN | ACK | FIN, seq: IRS, ack: iss + 1 }),
    null,
    () => [{ flags: ACK, ack: (IRS + 2) | 0 }],
    CLOSE_WAIT,
    0,
  ],
];

test.each(ROWS)('RFC 9293 §3.10.7.3: %s', (_, coming, fault, answer, state, errno) => {
  const { world, conn } = opening();
  expect(world.toConnection(conn, coming(conn.iss))).toBe(fault);
  const sent = world.take();
  expect(sent).toHaveLength(answer(conn.iss).length);
  expect(sent).toMatchObject(answer(conn.iss));
  expect([conn.sock.state, conn.sock.error]).toEqual([state, errno]);
});

test('text with the SYN-ACK is taken and acknowledged', () => {
  const { world, conn } = opening();
  world.toConnection(conn, { flags: SYN | ACK | PSH, seq: IRS, ack: conn.iss + 1, lenBytes: 100 });
  expect([conn.sock.state, world.unreadBytes, (conn.rcvNxt - IRS) | 0]).toEqual([ESTABLISHED, 100, 101]);
  expect(world.take()).toMatchObject([{ flags: ACK, ack: (IRS + 101) | 0 }]);
});

test('what both sides want is agreed, what one does not is off', () => {
  const { world, conn, syn } = opening();
  const all = { flags: SYN | ACK, seq: IRS, ack: conn.iss + 1, window: 1000, mss: 1200, scale: 9, sack: true } as const;
  world.passMs(30);
  world.toConnection(conn, { ...all, stamps: [77, syn.stamps![0]] });
  expect(conn.flags & (FLAG.SACK | FLAG.TIMESTAMPS | FLAG.WINDOW_SCALING)).toBe(FLAG.SACK | FLAG.TIMESTAMPS | FLAG.WINDOW_SCALING);
  expect(conn).toMatchObject({
    sndShift: 9,
    rcvShift: 7,
    tsRecent: 77,
    peerMssBytes: 1200,
    mssBytes: 1200,
    segmentBytes: 1188,
    sndWnd: 1000,
  });
  expect(Math.round(conn.roundTrip.srttUs / 1000)).toBe(30);
  // The first window that is scaled: 502 · 128, as Linux tells it.
  expect(world.take()).toMatchObject([{ flags: ACK, window: 502, stamps: [(syn.stamps![0] + 30) | 0, 77] }]);

  const plain = opening();
  plain.world.passMs(30);
  plain.world.toConnection(plain.conn, { flags: SYN | ACK, seq: IRS, ack: plain.conn.iss + 1, window: 1000 });
  expect(plain.conn.flags & (FLAG.SACK | FLAG.TIMESTAMPS | FLAG.WINDOW_SCALING)).toBe(0);
  expect(plain.conn).toMatchObject({ sndShift: 0, rcvShift: 0, peerMssBytes: 536, segmentBytes: 536 });
  expect(plain.conn.windowClamp).toBeLessThanOrEqual(65535);
  expect(Math.round(plain.conn.roundTrip.srttUs / 1000)).toBe(30);
});

test('what was not offered is not agreed, whatever the peer says', () => {
  const { world, conn } = opening({ timestamps: false, sack: false, windowScaling: false });
  world.toConnection(conn, { flags: SYN | ACK, seq: IRS, ack: conn.iss + 1, scale: 9, sack: true, stamps: [77, 5] });
  expect([conn.sock.state, conn.flags & (FLAG.SACK | FLAG.TIMESTAMPS | FLAG.WINDOW_SCALING), conn.sndShift]).toEqual([SYN_SENT, 0, 0]);
});

test('RFC 7323 §4.3: a SYN-ACK that echoes what was not said is of an old connection', () => {
  const { world, conn, syn } = opening();
  world.passMs(50);
  for (const off of [-1, 51]) {
    const stamps = [77, (syn.stamps![0] + off) | 0] as const;
    expect(world.toConnection(conn, { flags: SYN | ACK, seq: IRS, ack: conn.iss + 1, stamps })).toBe('tcp.paws');
    expect(world.take()).toMatchObject([{ flags: RST, seq: (conn.iss + 1) | 0 }]);
  }
  expect(conn.sock.state).toBe(SYN_SENT);
});

test('the SYN is sent again after 1, 2, 4 ... s, six times, then it has timed out', () => {
  const { world, conn } = opening();
  const times: number[] = [];
  for (let second = 1; second <= 130; second++) {
    world.passMs(1000);
    if (world.take().length > 0) times.push(second);
  }
  expect(times).toEqual([1, 3, 7, 15, 31, 63]);
  expect([conn.sock.state, conn.sock.error]).toEqual([CLOSED, ERRNO.ETIMEDOUT]);
});

test('RFC 6298 (5.7): behind a SYN that was lost twice the window is one', () => {
  const { world, conn } = opening();
  world.passMs(3500);
  world.toConnection(conn, { flags: SYN | ACK, seq: IRS, ack: conn.iss + 1 });
  expect([conn.sock.state, conn.congestion!.cwnd, conn.roundTrip.srtt8Us]).toEqual([ESTABLISHED, 1, 0]);
});

test('an old connection in the way (RFC 9293 §3.5.1): reset, and the SYN goes again at once', () => {
  const { world, conn } = opening();
  world.toConnection(conn, { flags: ACK, seq: 7, ack: conn.iss - 500 });
  expect(world.take()).toMatchObject([{ flags: RST, seq: (conn.iss - 500) | 0 }]);
  world.passMs(5);
  expect(world.take()).toMatchObject([{ flags: SYN, seq: conn.iss }]);
});

test('who waits with his first words acknowledges with them (TCP_QUICKACK 0, or data given already)', () => {
  const { world, conn } = opening();
  conn.ackPolicy.isInteractive = true;
  world.toConnection(conn, { flags: SYN | ACK, seq: IRS, ack: conn.iss + 1 });
  expect([conn.sock.state, world.take()]).toEqual([ESTABLISHED, []]);
  world.passMs(200);
  expect(world.take()).toMatchObject([{ flags: ACK, ack: (IRS + 1) | 0 }]);

  const eager = opening();
  eager.conn.writeSeq = (eager.conn.writeSeq + 20) | 0;
  eager.world.toConnection(eager.conn, { flags: SYN | ACK, seq: IRS, ack: eager.conn.iss + 1 });
  expect(eager.world.take()).toMatchObject([{ lenBytes: 20, seq: (eager.conn.iss + 1) | 0, ack: (IRS + 1) | 0 }]);
});

test('RFC 9293 §3.5, figure 7: two SYNs cross, and both are established', () => {
  const { world: a, conn, syn } = opening();
  const b = new HandshakeWorld({}, 99);
  const conns = [conn, b.connect()] as const;
  const [synB] = b.take();
  a.toConnection(conns[0], onItsWay(synB!));
  b.toConnection(conns[1], onItsWay(syn));
  expect(conns.map(({ sock }) => sock.state)).toEqual([SYN_RECEIVED, SYN_RECEIVED]);
  for (let round = 0; round < 3; round++) {
    for (const sent of a.take()) b.toConnection(conns[1], onItsWay(sent));
    for (const sent of b.take()) a.toConnection(conns[0], onItsWay(sent));
  }
  expect(conns.map(({ sock }) => sock.state)).toEqual([ESTABLISHED, ESTABLISHED]);
  expect([conns[0].rcvNxt, conns[1].rcvNxt]).toEqual([conns[1].sndNxt, conns[0].sndNxt]);
});

test('ISNs: RFC 6528: a clock of 4 µs, apart for each flow, and beyond 2³¹ µs too', () => {
  const world = new HandshakeWorld();
  const first = world.connect();
  world.passMs(4000);
  expect((world.connect().iss - first.iss) | 0).toBe(1_000_000);
  world.passMs(3_000_000);
  expect((world.connect().iss - first.iss) | 0).toBe(751_000_000);
  expect(new HandshakeWorld({}, 2).connect().iss).not.toBe(new HandshakeWorld({}, 3).connect().iss);
});
