import { heapPerCall } from '@softnet/contract/testing';
import { TCP_FLAG } from '@softnet/wire';
import { expect, test } from 'vitest';
import { FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ComingSegment, SentSegment } from '../testing/handshake-world.ts';
import { HandshakeWorld } from '../testing/handshake-world.ts';

const { SYN, ACK, RST, PSH } = TCP_FLAG;
const IRS = -5;
const PLAIN: ComingSegment = { flags: SYN, seq: IRS, mss: 1460, window: 5000 };
const ALL_FLAGS = FLAG.TIMESTAMPS | FLAG.SACK | FLAG.WINDOW_SCALING;

function flooded(settings: ConstructorParameters<typeof HandshakeWorld>[0] = {}, count = 12) {
  const world = new HandshakeWorld(settings);
  const listener = world.listen(10);
  for (let i = 0; i < count; i++) world.toListener({ ...PLAIN, remotePort: 10_000 + i });
  world.take();
  return { world, listener };
}

function answer(synAck: SentSegment, more: Partial<ComingSegment> = {}): ComingSegment {
  return { flags: ACK, seq: synAck.ack, ack: synAck.seq + 1, ...more };
}

test('where the queue is full nothing is kept, and the ACK makes a connection all the same', () => {
  const { world, listener } = flooded();
  expect([listener.requests, world.counters['cookies-sent'].value]).toEqual([11, 1]);
  world.toListener(PLAIN);
  const [synAck] = world.take();
  expect(synAck).toMatchObject({ flags: SYN | ACK, ack: (IRS + 1) | 0, syn: { mss: 1460, scale: -1, sack: false }, stamps: null });
  expect(listener.requests).toBe(11);
  expect(world.toListener(answer(synAck!, { flags: ACK | PSH, lenBytes: 7, window: 9000 }))).toBe(null);
  const child = world.handshake.accept(listener)!;
  expect(child.sock.state).toBe(TCP_STATE.ESTABLISHED);
  expect(child).toMatchObject({ irs: IRS, iss: synAck!.seq, peerMssBytes: 1460, sndWnd: 9000 });
  expect([child.flags & ALL_FLAGS, world.unreadBytes, listener.requests]).toEqual([0, 7, 11]);
});

test('with timestamps all options are in the cookie', () => {
  const { world, listener } = flooded();
  for (const [scale, sack] of [
    [0, true],
    [14, false],
    [7, true],
    [-1, true],
  ] as const) {
    // Of a clock that stands before 0, too.
    const stamp = scale < 0 ? -2_000_000_000 : 500;
    world.toListener({ ...PLAIN, scale, sack, mss: 1400, stamps: [stamp, 0] });
    const [synAck] = world.take();
    expect(synAck!.syn).toMatchObject({ scale: scale < 0 ? -1 : 7, sack });
    world.passMs(40);
    world.toListener(answer(synAck!, { window: 3, stamps: [stamp + 40, synAck!.stamps![0]] }));
    const child = world.handshake.accept(listener)!;
    expect(child).toMatchObject({
      peerMssBytes: 1300,
      sndShift: Math.max(scale, 0),
      rcvShift: scale < 0 ? 0 : 7,
      tsRecent: stamp + 40,
      sndWnd: 3 << Math.max(scale, 0),
    });
    expect(child.flags & ALL_FLAGS).toBe(FLAG.TIMESTAMPS | (sack ? FLAG.SACK : 0) | (scale < 0 ? 0 : FLAG.WINDOW_SCALING));
    // Its clock is the flow's, so what follows is not before it.
    expect((world.clock.nowMs + child.tsOffset - synAck!.stamps![0]) | 0).toBeGreaterThanOrEqual(0);
  }
});

test('IPv6 has an MSS of its own table', () => {
  const { world, listener } = flooded();
  world.wayMss = 8940;
  world.toListener({ ...PLAIN, mss: 9000, isIpv6: true });
  const [synAck] = world.take();
  world.toListener(answer(synAck!, { isIpv6: true }));
  expect(world.handshake.accept(listener)!.peerMssBytes).toBe(8940);
});

test('what is no cookie of ours, or of another flow, or too old, is reset', () => {
  const { world, listener } = flooded();
  world.toListener(PLAIN);
  const [synAck] = world.take();
  const right = answer(synAck!);
  const wrong: ComingSegment[] = [
    { ...right, ack: right.ack! + 100 },
    { ...right, seq: right.seq! + 100 },
    { ...right, remotePort: 4001 },
    { ...right, remote3: 0x0a000003 },
  ];
  for (const each of wrong) {
    expect(world.toListener(each)).toBe('tcp.listen');
    expect(world.take()).toMatchObject([{ flags: RST, seq: each.ack! | 0 }]);
  }
  expect(world.counters['cookies-failed'].value).toBe(4);
  world.passMs(119_000);
  world.take();
  world.toListener(PLAIN);
  world.passMs(2000);
  // A tick is a minute, and it is good in two of them.
  expect(world.toListener(right)).toBe('tcp.listen');
  expect(listener.accepted.count).toBe(0);
});

test('cookies are believed only for two minutes after the queue was full, and only where they are used', () => {
  const { world } = flooded();
  world.toListener(PLAIN);
  const [synAck] = world.take();
  world.passMs(121_000);
  const before = world.counters['cookies-failed'].value;
  expect(world.toListener(answer(synAck!))).toBe('tcp.listen');
  expect(world.counters['cookies-failed'].value).toBe(before);

  const off = flooded();
  off.world.toListener(PLAIN);
  const [unbelieved] = off.world.take();
  Object.assign(off.world.settings, { syncookies: 0 });
  expect(off.world.toListener(answer(unbelieved!))).toBe('tcp.listen');

  const none = flooded({ syncookies: 0 });
  expect(none.world.toListener(PLAIN)).toBe('tcp.syn-queue');
  expect(none.world.take()).toEqual([]);
  const always = flooded({ syncookies: 2 }, 3);
  expect([always.listener.requests, always.world.counters['cookies-sent'].value]).toEqual([0, 3]);
});

test('no room to be accepted: the ACK of a cookie is dropped', () => {
  const { world, listener } = flooded({ syncookies: 2 }, 0);
  for (let i = 0; i < 11; i++) {
    world.toListener({ ...PLAIN, remotePort: 1 + i });
  }
  const synAcks = world.take();
  for (const each of synAcks) world.toListener(answer(each, { remotePort: each.remotePort }));
  expect(listener.accepted.count).toBe(11);
  world.handshake.accept(listener);
  world.toListener({ ...PLAIN, remotePort: 100 });
  const [last] = world.take();
  world.toListener(answer(synAcks[0]!, { remotePort: synAcks[0]!.remotePort }));
  expect(world.toListener(answer(last!, { remotePort: 100 }))).toBe('tcp.backlog');
});

/** So many SYNs, each from another port or host. Nothing is made of them here. */
function strangers(world: HandshakeWorld, from: number, count: number): void {
  const coming = world.coming({ ...PLAIN, remote3: 0x0b000000 + from });
  const { view } = coming.skb!.memory;
  for (let i = 0; i < count; i++) {
    coming.seq = Math.imul(from + i, 65_537);
    coming.fault = null;
    view.setUint16(coming.skb!.transport, i);
    world.handshake.arrives(world.listener!, coming);
  }
}

/** 100,000 SYNs, from everywhere; in between somebody real. */
test('a flood of 100,000 SYNs: memory stays, and who is real is served, by cookies and then without', () => {
  const world = new HandshakeWorld();
  const listener = world.listen(4096);
  let flooded = 0;
  const flood = (count: number): void => {
    strangers(world, flooded, count);
    flooded += count;
    world.out.length = 0;
  };
  flood(20_000);
  expect(listener.requests).toBe(4097);
  let served = 0;
  for (let round = 0; round < 8; round++) {
    flood(10_000);
    world.passMs(100);
    world.out.length = 0;
    world.toListener({ ...PLAIN, scale: 7, sack: true, stamps: [round + 1, 0] });
    const [synAck] = world.take();
    world.toListener(answer(synAck!, { stamps: [round + 1, synAck!.stamps![0]] }));
    const child = world.handshake.accept(listener);
    if (child !== null && (child.flags & ALL_FLAGS) === ALL_FLAGS) served++;
  }
  expect([served, listener.requests]).toEqual([8, 4097]);
  expect(world.counters['cookies-sent'].value).toBe(100_000 - 4097 + 8);
  // Once it is over the old have no patience left, and the next are kept again.
  for (let second = 0; second < 64; second++) {
    world.passMs(1000);
    world.out.length = 0;
  }
  expect([listener.requests, world.handshake.requests]).toEqual([0, 0]);
  world.toListener(PLAIN);
  expect(listener.requests).toBe(1);
});

test('a cookie costs no memory', () => {
  const { world } = flooded({ syncookies: 2 });
  const segment = world.coming({ ...PLAIN, stamps: [7, 0], scale: 3, sack: true });
  // What was sent is not kept.
  world.bare = () => true;
  const bytes = heapPerCall(2, (i) => {
    segment.seq = i;
    segment.fault = null;
    world.handshake.arrives(world.listener!, segment);
  });
  expect(bytes).toBeLessThan(2);
});

test('a request takes 200 bytes', () => {
  const count = 32_768;
  const [warm, world] = [1, 2].map(() => new HandshakeWorld({ somaxconn: count })) as [HandshakeWorld, HandshakeWorld];
  for (const each of [warm, world]) each.bare = () => true;
  warm.listen(count);
  strangers(warm, 0, 10_000);
  world.listen(count);
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  strangers(world, 0, count);
  globalThis.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  expect(world.handshake.requests).toBe(count);
  expect(bytes).toBeGreaterThan(150);
  expect(bytes).toBeLessThan(201);
});
