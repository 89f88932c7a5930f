import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emitPacket, parsePacket } from './exchange/wire.ts';
import { emitFrame, parseFrame } from './link/wire.ts';
import { ByteRing } from './talk/machine/byte-ring.ts';
import { NEXT } from './talk/machine/states.ts';
import { ACK, BYE, bare, emitSegment, HELLO, MESSAGE, parseSegment, RESET, resetFor } from './talk/wire.ts';
import { twoHosts } from './topology.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const payload = fc.uint8Array({ maxLength: 1400 });

test('frames, packets and segments come back as they went', () => {
  fc.assert(fc.property(fc.record({ to: u16, from: u16, payload }), (frame) => void expect(parseFrame(emitFrame(frame))).toEqual(frame)));
  const packet = fc.record({ protocol: fc.integer({ min: 0, max: 255 }), fromPort: u16, toPort: u16, payload });
  fc.assert(fc.property(packet, (each) => void expect(parsePacket(emitPacket(each))).toEqual(each)));
  const segment = fc.record({ flags: fc.constantFrom(ACK, MESSAGE), seq: i32, ack: i32, payload });
  fc.assert(fc.property(segment, (each) => void expect(parseSegment(emitSegment(each))).toEqual(each)));
});

test('garbage is no frame, packet or segment, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      parseFrame(bytes);
      parseSegment(bytes);
      parsePacket(bytes);
    }),
  );
  expect(parseFrame(new Uint8Array(3))).toBeUndefined();
  expect(parseSegment(Uint8Array.of(HELLO | BYE, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBeUndefined();
});

test('one bit that flips makes a packet garbage', () => {
  const whole = emitPacket({ protocol: 84, fromPort: 1, toPort: 2, payload: Uint8Array.of(1, 2, 3) });
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bad = whole.slice();
    bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
    expect(parsePacket(bad)).toBeUndefined();
  }
});

test('a reset answers everything but a reset', () => {
  expect(resetFor(bare(HELLO, 5, 0))).toMatchObject({ flags: RESET | ACK, seq: 0, ack: 6 });
  expect(resetFor(bare(RESET, 5, 0))).toBeUndefined();
});

test('garbage on a cable is dropped and counted, whoever it reaches', async () => {
  const { a, b, cable, world, talk, run, dispose } = await twoHosts();
  talk(b).listen(80);
  const connection = talk(a).connect(2, 80);
  await run(connection.opened);
  cable.inject(2, new Uint8Array(2));
  cable.inject(2, emitFrame({ to: 2, from: 1, payload: new Uint8Array(9) }));
  cable.inject(
    2,
    emitFrame({ to: 2, from: 1, payload: emitPacket({ protocol: 84, fromPort: 1, toPort: 80, payload: new Uint8Array(4) }) }),
  );
  cable.inject(2, emitFrame({ to: 2, from: 1, payload: emitPacket({ protocol: 9, fromPort: 1, toPort: 80, payload: new Uint8Array(4) }) }));
  await world.advance(10_000);
  const counted = Object.fromEntries(b.dropReasons().map(({ name, count }) => [name, count]));
  expect(counted).toMatchObject({ 'link.garbage': 1, 'exchange.garbage': 1, 'talk.garbage': 1, 'exchange.no-protocol': 1 });
  expect(b.faults).toEqual([]);
  expect(connection.state).toBe('open');
  await dispose();
});

test('a ring of bytes gives what was put in, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(20))), (steps) => {
      const ring = new ByteRing(32);
      let model: number[] = [];
      for (const [bytes, drop] of steps) {
        const taken = ring.push(bytes);
        expect(taken).toBe(Math.min(bytes.length, 32 - model.length));
        model.push(...bytes.subarray(0, taken));
        expect([...ring.copy(0, 32)]).toEqual(model);
        const dropped = Math.min(drop, model.length);
        ring.drop(dropped);
        model = model.slice(dropped);
      }
    }),
  );
});

test('every state of a connection can be reached, and ended', () => {
  const reached = new Set<string>(['hello-sent', 'hello-received']);
  for (const state of reached) for (const next of Object.values(NEXT[state as keyof typeof NEXT])) reached.add(next);
  expect([...reached].sort()).toEqual(Object.keys(NEXT).sort());
  for (const [state, events] of Object.entries(NEXT)) if (state !== 'closed') expect(events.ended).toBe('closed');
});
