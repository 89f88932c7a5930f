import { SKB_TYPE } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import { extraOf, FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ComingSegment, SentSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld } from '../testing/handshake-world.ts';

const { SYN, ACK, RST, FIN, PSH } = TCP_FLAG;
const IRS = 0x7ffffff0;
const { ESTABLISHED, CLOSE_WAIT, CLOSED } = TCP_STATE;
const LINUX_SYN = { flags: SYN, seq: IRS, mss: 1460, scale: 7, sack: true } as const;

/** A listener, with a request from each of these ports. */
function asked(
  settings: ConstructorParameters<typeof HandshakeWorld>[0] = {},
  { backlog = 10, syn = LINUX_SYN as ComingSegment, ports = [4000] } = {},
) {
  const world = new HandshakeWorld(settings);
  const listener = world.listen(backlog);
  for (const remotePort of ports) world.toListener({ ...syn, remotePort });
  return { world, listener, synAcks: world.take() };
}

/** The ACK that completes a handshake. */
function answer(synAck: SentSegment, more: Partial<ComingSegment> = {}): ComingSegment {
  return { flags: ACK, seq: synAck.ack, ack: synAck.seq + 1, remotePort: synAck.remotePort, ...more };
}

test('a SYN is answered by a SYN-ACK, with what both sides want, and a window of whole segments, as Linux', () => {
  const { world, synAcks } = asked({}, { syn: { ...LINUX_SYN, stamps: [1000, 0] } });
  expect(synAcks).toMatchObject([{ flags: SYN | ACK, ack: (IRS + 1) | 0, window: 65160, syn: { mss: 1460, scale: 7, sack: true } }]);
  expect(synAcks[0]!.stamps![1]).toBe(1000);
  expect(world.handshake.requests).toBe(1);
});

test.each([
  ['nothing is asked for', {}, { flags: SYN, seq: IRS }, { window: 64240, syn: { mss: 1460, scale: -1, sack: false }, stamps: null }],
  [
    'nothing is to be had',
    { timestamps: false, sack: false, windowScaling: false },
    { ...LINUX_SYN, stamps: [1, 0] },
    { window: 64240, syn: { mss: 1460, scale: -1, sack: false }, stamps: null },
  ],
] as [string, object, ComingSegment, object][])('of options, when %s', (_, settings, syn, said) => {
  expect(asked(settings, { syn }).synAcks).toMatchObject([said]);
});

test('the ACK makes a connection, which waits to be accepted; what was agreed is in it', () => {
  const { world, listener, synAcks } = asked({}, { syn: { ...LINUX_SYN, mss: 1400, scale: 9, stamps: [1000, 0] } });
  world.passMs(25);
  expect(world.toListener(answer(synAcks[0]!, { window: 100, stamps: [1025, synAcks[0]!.stamps![0]] }))).toBe(null);
  expect([world.handshake.requests, listener.requests, listener.young, listener.accepted.count, world.woken]).toEqual([
    0,
    0,
    0,
    1,
    [listener.conn],
  ]);
  const child = world.handshake.accept(listener)!;
  expect(child.sock.state).toBe(ESTABLISHED);
  expect(child).toMatchObject({
    irs: IRS,
    iss: synAcks[0]!.seq,
    peerMssBytes: 1400,
    segmentBytes: 1388,
    sndShift: 9,
    rcvShift: 7,
    tsRecent: 1025,
  });
  expect([child.sndWnd, child.sndUna, child.sndNxt, child.rcvNxt]).toEqual([
    100 << 9,
    (child.iss + 1) | 0,
    (child.iss + 1) | 0,
    (IRS + 1) | 0,
  ]);
  expect(child.flags & (FLAG.TIMESTAMPS | FLAG.SACK | FLAG.WINDOW_SCALING)).toBe(FLAG.TIMESTAMPS | FLAG.SACK | FLAG.WINDOW_SCALING);
  expect([Math.round(child.roundTrip.srttUs / 1000), child.congestion!.cwnd]).toEqual([25, 10]);
  expect([child.flags & FLAG.UNACCEPTED, child.listener, world.handshake.accept(listener)]).toEqual([0, null, null]);
  expect(world.take()).toEqual([]);
});

test('text and FIN with the ACK are the connection’s', () => {
  const { world, listener, synAcks } = asked();
  world.toListener(answer(synAcks[0]!, { flags: ACK | PSH | FIN, lenBytes: 30 }));
  const child = world.handshake.accept(listener)!;
  expect([child.sock.state, world.unreadBytes, (child.rcvNxt - IRS) | 0]).toEqual([CLOSE_WAIT, 30, 32]);
  // As Linux: who is about to end too acknowledges with that, or a little later.
  world.passMs(40);
  expect(world.take()).toMatchObject([{ flags: ACK, ack: (IRS + 32) | 0 }]);
});

/** RFC 9293 §3.10.7.2: what comes to a listener, the reason, and the answer. */
test.each([
  ['RST', { flags: RST, seq: 5 }, 'tcp.listen', []],
  ['RST, ACK', { flags: RST | ACK, seq: 5, ack: 6 }, 'tcp.listen', []],
  ['RST, SYN', { flags: RST | SYN, seq: 5 }, 'tcp.listen', []],
  ['ACK: reset', { flags: ACK, seq: 5, ack: 77 }, 'tcp.listen', [{ flags: RST, seq: 77 }]],
  ['SYN, ACK: reset', { flags: SYN | ACK, seq: 5, ack: 77 }, 'tcp.listen', [{ flags: RST, seq: 77 }]],
  ['FIN', { flags: FIN, seq: 5 }, 'tcp.listen', []],
  ['SYN, FIN: dropped, as Linux', { flags: SYN | FIN, seq: 5 }, 'tcp.listen', []],
  ['nothing at all', { flags: 0, seq: 5, lenBytes: 9 }, 'tcp.listen', []],
  ['SYN', { flags: SYN, seq: 5 }, null, [{ flags: SYN | ACK, ack: 6 }]],
  ['SYN with text, which comes again', { flags: SYN, seq: 5, lenBytes: 9 }, null, [{ flags: SYN | ACK, ack: 6 }]],
  ['SYN to many on the link (MUST-57)', { flags: SYN, seq: 5, type: SKB_TYPE.BROADCAST }, 'tcp.listen', []],
  ['SYN from a group', { flags: SYN, seq: 5, remote3: 0xe0000001 | 0 }, 'tcp.listen', []],
  ['SYN from everybody', { flags: SYN, seq: 5, remote3: -1 }, 'tcp.listen', []],
  ['SYN from nobody', { flags: SYN, seq: 5, remote3: 0 }, 'tcp.listen', []],
] as [string, ComingSegment, string | null, object[]][])('RFC 9293 §3.10.7.2: %s', (_, coming, fault, answers) => {
  const world = new HandshakeWorld();
  world.listen();
  expect(world.toListener(coming)).toBe(fault);
  const sent = world.take();
  expect(sent).toHaveLength(answers.length);
  expect(sent).toMatchObject(answers);
  expect(world.handshake.requests).toBe(fault === null ? 1 : 0);
});

const RCV = IRS + 1;
/** RFC 9293 §3.10.7.4 in SYN-RECEIVED, of a request: numbers beside ISS; whether it is still there, and accepted. */
test.each([
  ['RST at RCV.NXT ends it', () => ({ flags: RST, seq: RCV }), null, 0, 0, []],
  [
    'RST in the window is challenged (RFC 5961 §3.2)',
    () => ({ flags: RST, seq: RCV + 9 }),
    'tcp.reset',
    1,
    0,
    [{ flags: ACK, ack: RCV | 0 }],
  ],
  ['RST before the window', () => ({ flags: RST, seq: RCV - 1 }), 'tcp.window', 1, 0, []],
  ['RST behind the window', () => ({ flags: RST, seq: RCV + 70_000 }), 'tcp.window', 1, 0, []],
  ['ACK of another SYN-ACK: reset', (iss: number) => ({ flags: ACK, seq: RCV, ack: iss + 2 }), 'tcp.listen', 1, 0, [{ flags: RST }]],
  ['RST, ACK of another: dropped', (iss: number) => ({ flags: RST | ACK, seq: RCV, ack: iss + 2 }), 'tcp.listen', 1, 0, []],
  ['SYN, ACK of another: reset', (iss: number) => ({ flags: SYN | ACK, seq: IRS, ack: iss }), 'tcp.listen', 1, 0, [{ flags: RST }]],
  [
    'ACK outside of the window is told what is awaited',
    (iss: number) => ({ flags: ACK, seq: RCV - 1, ack: iss + 1 }),
    'tcp.window',
    1,
    0,
    [{ flags: ACK, ack: RCV | 0 }],
  ],
  ['SYN in the window is challenged (RFC 5961 §4)', () => ({ flags: SYN, seq: RCV + 9 }), 'tcp.syn', 1, 0, [{ flags: ACK, ack: RCV | 0 }]],
  ['the SYN again: the SYN-ACK again', () => ({ flags: SYN, seq: IRS }), 'tcp.duplicate', 1, 0, [{ flags: SYN | ACK, ack: RCV | 0 }]],
  ['no ACK', () => ({ flags: PSH, seq: RCV, lenBytes: 4 }), 'tcp.no-ack', 1, 0, []],
  ['the ACK', (iss: number) => ({ flags: ACK, seq: RCV, ack: iss + 1 }), null, 0, 1, []],
] as [string, (iss: number) => ComingSegment, string | null, number, number, object[]][])(
  'a request: %s',
  (_, coming, fault, left, accepted, answers) => {
    const { world, listener, synAcks } = asked();
    expect(world.toListener(coming(synAcks[0]!.seq))).toBe(fault);
    const sent = world.take();
    expect(sent).toHaveLength(answers.length);
    expect(sent).toMatchObject(answers);
    expect([listener.requests, world.handshake.requests, listener.accepted.count]).toEqual([left, left, accepted]);
  },
);

test('PAWS (RFC 7323 §5) of a request', () => {
  const { world, listener, synAcks } = asked({}, { syn: { ...LINUX_SYN, stamps: [1000, 0] } });
  expect(world.toListener(answer(synAcks[0]!, { stamps: [999, 0] }))).toBe('tcp.paws');
  expect(world.take()).toMatchObject([{ flags: ACK, stamps: [expect.any(Number), 1000] }]);
  expect(world.toListener(answer(synAcks[0]!, { stamps: [1000, 0] }))).toBe(null);
  expect(listener.accepted.count).toBe(1);
});

test('what is answered is limited (tcp_invalid_ratelimit)', () => {
  const { world } = asked();
  for (let i = 0; i < 5; i++) world.toListener({ flags: SYN, seq: IRS });
  expect(world.take()).toHaveLength(1);
  world.passMs(500);
  world.toListener({ flags: SYN, seq: IRS });
  expect(world.take()).toHaveLength(1);
});

/** Seconds at which something was sent. */
function secondsOf(world: HandshakeWorld, seconds: number): number[] {
  const times: number[] = [];
  for (let second = 1; second <= seconds; second++) {
    world.passMs(1000);
    for (const { flags } of world.take()) if (flags === (SYN | ACK)) times.push(second);
  }
  return times;
}

test('the SYN-ACK is sent again after 1, 2, 4, 8, 16 s; after 32 s more the request is over', () => {
  const { world, listener } = asked();
  expect(secondsOf(world, 62)).toEqual([1, 3, 7, 15, 31]);
  expect([listener.requests, listener.young]).toEqual([1, 0]);
  world.passMs(1000);
  expect([listener.requests, world.handshake.requests, world.take()]).toEqual([0, 0, []]);
});

test('TCP_SYNCNT and tcp_synack_retries say how often', () => {
  const { world, listener } = asked({ synackRetries: 1 });
  expect(secondsOf(world, 10)).toEqual([1]);
  expect(listener.requests).toBe(0);
  extraOf(listener.conn).synRetries = 2;
  world.toListener(LINUX_SYN);
  world.take();
  expect(secondsOf(world, 10)).toEqual([1, 3]);
});

test('as Linux: where the old have more than half of the room, they have less patience', () => {
  const ports = Array.from({ length: 10 }, (_, i) => 5000 + i);
  const { world, listener } = asked({}, { backlog: 10, ports });
  // Until half of the room is free again.
  expect(secondsOf(world, 8).filter((second) => second === 7)).toHaveLength(5);
  expect(listener.requests).toBe(5);
});

test('a round trip that was measured twice is none (Karn), and cwnd is 1 after two SYN-ACKs that were lost', () => {
  const { world, listener, synAcks } = asked();
  world.passMs(3500);
  world.toListener(answer(synAcks[0]!));
  const child = world.handshake.accept(listener)!;
  expect([child.roundTrip.srtt8Us, child.congestion!.cwnd]).toEqual([0, 1]);
});

test('nor is one where the SYN came again', () => {
  const { world, listener, synAcks } = asked();
  world.passMs(300);
  world.toListener(LINUX_SYN);
  world.passMs(10);
  world.toListener(answer(synAcks[0]!));
  expect(world.handshake.accept(listener)!.roundTrip.srtt8Us).toBe(0);
});

test('as Linux: one more than the backlog may wait to be accepted; then ACKs are dropped and the request stays', () => {
  const { world, listener, synAcks } = asked({}, { backlog: 1, ports: [1, 2] });
  for (const synAck of synAcks) expect(world.toListener(answer(synAck))).toBe(null);
  expect(listener.accepted.count).toBe(2);
  // Behind that SYNs are dropped.
  expect(world.toListener({ ...LINUX_SYN, remotePort: 3 })).toBe('tcp.backlog');
  expect(world.take()).toEqual([]);
  world.handshake.accept(listener);
  expect(world.toListener({ ...LINUX_SYN, remotePort: 3 })).toBe(null);
  world.toListener({ ...LINUX_SYN, remotePort: 4 });
  const more = world.take();
  expect(world.toListener(answer(more[0]!))).toBe(null);
  expect(world.toListener(answer(more[1]!))).toBe('tcp.backlog');
  expect([listener.requests, listener.accepted.count, world.counters['listen-overflows'].value]).toEqual([1, 2, 2]);
  // He is asked again, and his next ACK finds room.
  world.handshake.accept(listener);
  world.passMs(1000);
  expect(world.take()).toMatchObject([{ flags: SYN | ACK, remotePort: 4 }]);
  expect(world.toListener(answer(more[1]!))).toBe(null);
});

test('tcp_abort_on_overflow: who finds no room is reset', () => {
  const { world, listener, synAcks } = asked({ abortOnOverflow: true }, { backlog: 1, ports: [1, 2] });
  world.toListener(answer(synAcks[0]!));
  world.toListener({ ...LINUX_SYN, remotePort: 3 });
  const [third] = world.take();
  world.toListener(answer(synAcks[1]!));
  expect(world.toListener(answer(third!))).toBe('tcp.backlog');
  expect([world.take(), listener.requests]).toMatchObject([[{ flags: RST, seq: (third!.seq + 1) | 0, ack: 0 }], 0]);
});

test('no child is to be had: the request stays', () => {
  const { world, listener, synAcks } = asked();
  world.childless = true;
  expect(world.toListener(answer(synAcks[0]!))).toBe('tcp.full');
  expect(listener.requests).toBe(1);
  world.childless = false;
  expect(world.toListener(answer(synAcks[0]!))).toBe(null);
});

test('no way to the peer: no request', () => {
  const world = new HandshakeWorld();
  world.listen();
  world.wayMss = 0;
  expect(world.toListener(LINUX_SYN)).toBe('tcp.listen');
  expect(world.handshake.requests).toBe(0);
});

test('without cookies the queue of SYNs is bounded by the backlog, and by three quarters of tcp_max_syn_backlog', () => {
  const ports = Array.from({ length: 100 }, (_, i) => 1000 + i);
  const narrow = asked({ syncookies: 0 }, { backlog: 20, ports });
  expect([narrow.listener.requests, narrow.synAcks.length]).toEqual([21, 21]);
  expect(narrow.world.counters['listen-drops'].value).toBe(79);
  const wide = asked({ syncookies: 0, maxSynBacklog: 40 }, { backlog: 1000, ports });
  expect(wide.listener.requests).toBe(31);
});

test('a backlog is bounded by somaxconn, and a negative one is all of it', () => {
  const { world } = asked({ somaxconn: 128 });
  const { conn } = world.listener!;
  expect([5, 1000, -1, 0].map((backlog) => world.listen(backlog, conn).backlog)).toEqual([5, 128, 128, 0]);
  expect(world.listen(3, conn).requests).toBe(1);
});

test('TCP_DEFER_ACCEPT: bare ACKs are waited through, text opens', () => {
  const { world, listener, synAcks } = asked();
  extraOf(listener.conn).deferAccept = 3;
  expect(world.toListener(answer(synAcks[0]!))).toBe(null);
  expect([listener.accepted.count, listener.requests]).toEqual([0, 1]);
  // In silence; then it is asked once more.
  expect(secondsOf(world, 7)).toEqual([7]);
  world.toListener(answer(synAcks[0]!));
  expect(listener.accepted.count).toBe(1);

  const eager = asked();
  extraOf(eager.listener.conn).deferAccept = 3;
  eager.world.toListener(answer(eager.synAcks[0]!, { flags: ACK | PSH, lenBytes: 5 }));
  expect([eager.listener.accepted.count, eager.world.unreadBytes]).toEqual([1, 5]);
});

test('parked: SYNs are dropped in silence, requests go on; back again all is as before', () => {
  const { world, listener, synAcks } = asked();
  world.park(true);
  expect(world.toListener({ ...LINUX_SYN, remotePort: 9 })).toBe('tcp.parked');
  expect(world.toListener({ flags: ACK, seq: 1, ack: 1, remotePort: 9 })).toBe('tcp.parked');
  expect(world.take()).toEqual([]);
  expect(world.toListener(answer(synAcks[0]!))).toBe(null);
  expect(listener.accepted.count).toBe(1);
  world.park(false);
  expect(world.toListener({ ...LINUX_SYN, remotePort: 9 })).toBe(null);
});

test('who listens no more resets requests and who waits', () => {
  const { world, listener, synAcks } = asked({}, { ports: [1, 2, 3] });
  world.toListener(answer(synAcks[0]!));
  const [child] = [...listener.accepted];
  world.take();
  world.handshake.stopListening(listener);
  const sent = world.take();
  expect(sent.map(({ flags, remotePort }) => [flags, remotePort]).sort()).toEqual([1, 2, 3].map((port) => [RST | ACK, port]));
  expect([child!.sock.state, listener.accepted.count, world.handshake.requests, listener.isOpen]).toEqual([CLOSED, 0, 0, false]);
  world.passMs(100_000);
  world.handshake.stopListening(listener);
  expect(world.take()).toEqual([]);
});

test('an ICMP error about a SYN-ACK ends its request, with the right sequence number alone', () => {
  const { world, listener, synAcks } = asked();
  world.coming({ flags: ACK });
  const key = {
    protocol: 6,
    local0: 0,
    local1: 0,
    local2: 0xffff,
    local3: 0x0a000001,
    remote0: 0,
    remote1: 0,
    remote2: 0xffff,
    remote3: 0x0a000002,
    localPort: 80,
    remotePort: 4000,
    ifindex: 1,
  };
  expect(world.handshake.requestFails(key, synAcks[0]!.seq + 1)).toBe(false);
  expect(world.handshake.requestFails({ ...key, remotePort: 4001 }, synAcks[0]!.seq)).toBe(false);
  expect(world.handshake.requestFails(key, synAcks[0]!.seq)).toBe(true);
  expect([listener.requests, world.handshake.requests]).toEqual([0, 0]);
});

test('IPv6: link-local peers are told apart by interface, and said so', () => {
  const world = new HandshakeWorld();
  const listener = world.listen();
  world.toListener({ ...LINUX_SYN, isIpv6: true, ifindex: 3 });
  world.toListener({ ...LINUX_SYN, isIpv6: true, ifindex: 4, seq: 1 });
  const [three, four] = world.take();
  expect(listener.requests).toBe(2);
  // Of the request by the other interface: its numbers are others.
  expect(world.toListener(answer(four!, { isIpv6: true, ifindex: 3 }))).toBe('tcp.window');
  world.take();
  expect(world.toListener(answer(three!, { isIpv6: true, ifindex: 3 }))).toBe(null);
  expect(listener.requests).toBe(1);
});

test('TCP_SAVE_SYN: the headers of the SYN go to the connection, and nothing of them stays', () => {
  const { world, listener, synAcks } = asked();
  listener.conn.flags |= FLAG.SAVE_SYN;
  for (const remotePort of [1, 2]) world.toListener({ ...LINUX_SYN, remotePort });
  const more = world.take();
  for (const synAck of [...synAcks, more[0]!]) world.toListener(answer(synAck));
  const children = [world.handshake.accept(listener)!, world.handshake.accept(listener)!];
  // IPv4 of 40 bytes here, and TCP of 20: from the port on.
  expect(children.map(({ extra }) => extra?.savedSyn?.length)).toEqual([undefined, 60]);
  expect(new DataView(children[1]!.extra!.savedSyn!.buffer).getUint16(40)).toBe(1);
  expect(listener.savedSyns!.size).toBe(1);
  world.passMs(100_000);
  expect(listener.savedSyns!.size).toBe(0);
});
