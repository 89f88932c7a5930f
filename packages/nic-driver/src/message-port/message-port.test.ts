import { EventEmitter } from 'node:events';
import { copyIn, makePool } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IncomingBatches, NEXT } from './incoming-batches.ts';
import { BATCH_BYTES, BATCHES, emitBye, emitHello, FRAME_LIMIT_BYTES, parseHello, SORT, sortOf } from './messages.ts';
import { OutgoingBatches } from './outgoing-batches.ts';
import type { PortUser } from './port-link.ts';
import { PortLink } from './port-link.ts';

const pool = makePool({ buffers: 8, pages: 40 });

function put(outgoing: OutgoingBatches, frame: Uint8Array): boolean {
  const skb = pool.alloc(0, 10)!;
  copyIn(skb, frame);
  const taken = outgoing.put(skb);
  pool.release(skb);
  return taken;
}

function readAll(incoming: IncomingBatches): { frames: Uint8Array[]; lies: number } {
  const frames: Uint8Array[] = [];
  let lies = 0;
  for (let next = incoming.next(); next !== NEXT.NONE; next = incoming.next()) {
    if (next === NEXT.LYING) lies++;
    else frames.push(incoming.bytes.slice(incoming.offset, incoming.offset + incoming.lenBytes));
  }
  return { frames, lies };
}

describe('messages', () => {
  test('a hello is read as it was said; other messages say what they are', () => {
    const peer = fc.record({
      version: fc.nat(9),
      asks: fc.boolean(),
      up: fc.boolean(),
      mtuBytes: fc.integer({ min: 1, max: 65_535 }),
      batches: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(peer, (said) => {
        const message = emitHello(said);
        expect([sortOf(message), parseHello(message)]).toEqual([SORT.HELLO, said]);
      }),
    );
    expect(sortOf(emitBye())).toBe(SORT.BYE);
  });

  test('what is none of them', () => {
    const bytes = (buffer: ArrayBuffer): Uint8Array => new Uint8Array(buffer);
    for (const message of [
      null,
      'hello',
      { softnet: 1 },
      new Uint8Array(16),
      new ArrayBuffer(15),
      new ArrayBuffer(16),
      new SharedArrayBuffer(16),
    ]) {
      expect(sortOf(message)).toBe(0);
    }
    expect(sortOf(bytes(emitBye()).slice(0, 12).buffer)).toBe(0);
    expect(parseHello(emitBye())).toBe(null);
    expect(parseHello(emitHello({ version: 1, asks: true, up: true, mtuBytes: 0, batches: 1 }))).toBe(null);
    expect(parseHello(emitHello({ version: 1, asks: true, up: true, mtuBytes: 1500, batches: 0 }))).toBe(null);
  });
});

describe('batches', () => {
  test('frames come out as they were put in, in order; buffers go round, and no more than there may be', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 300 }), fc.integer({ min: 1, max: BATCHES }), (lengths, limit) => {
        const outgoing = new OutgoingBatches();
        outgoing.begin(limit);
        const away: ArrayBuffer[] = [];
        const incoming = new IncomingBatches((buffer) => expect(outgoing.returned(buffer)).toBe(true));
        const frames = lengths.map((lenBytes, number) => new Uint8Array(lenBytes).fill(number));
        const got: Uint8Array[] = [];
        const flush = (): void => {
          const batch = outgoing.flush();
          if (batch !== null) away.push(batch);
        };
        const deliver = (): void => {
          for (const batch of away.splice(0)) expect([sortOf(batch), incoming.take(batch)]).toEqual([SORT.FRAMES, true]);
          got.push(...readAll(incoming).frames);
        };
        for (const frame of frames) {
          if (put(outgoing, frame)) continue;
          flush();
          if (!outgoing.hasRoom) deliver();
          expect(put(outgoing, frame)).toBe(true);
          expect(away.length).toBeLessThan(limit);
        }
        flush();
        deliver();
        expect(got.map((frame) => frame.length)).toEqual(lengths);
        expect(Buffer.compare(Buffer.concat(got), Buffer.concat(frames))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test('the longest frame fits', () => {
    const outgoing = new OutgoingBatches();
    outgoing.begin(1);
    expect(put(outgoing, new Uint8Array(FRAME_LIMIT_BYTES))).toBe(true);
    expect(put(outgoing, new Uint8Array(0))).toBe(false);
    expect(outgoing.flush()?.byteLength).toBe(BATCH_BYTES);
    expect([outgoing.hasRoom, put(outgoing, new Uint8Array(1)), outgoing.flush()]).toEqual([false, false, null]);
  });

  test('a buffer comes back once, and only one of ours', () => {
    const outgoing = new OutgoingBatches();
    outgoing.begin(2);
    put(outgoing, new Uint8Array(5));
    const batch = outgoing.flush()!;
    expect([outgoing.returned(new ArrayBuffer(20)), outgoing.returned(batch), outgoing.returned(batch)]).toEqual([false, true, false]);
  });

  test('lying lengths and garbage lose the rest of a batch, and nothing is read over its end', () => {
    const change = fc.record({ at: fc.nat(199), value: fc.nat(255) });
    let lied = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.integer({ min: 16, max: 200 }), (changes, cut) => {
        const outgoing = new OutgoingBatches();
        outgoing.begin(1);
        for (let i = 0; i < 5; i++) put(outgoing, new Uint8Array(30));
        const message = outgoing.flush()!.slice(0, cut);
        for (const { at, value } of changes) if (at >= 8 && at < cut) new Uint8Array(message)[at] = value;
        let back = 0;
        const incoming = new IncomingBatches(() => void back++);
        expect(incoming.take(message)).toBe(true);
        const { frames, lies } = readAll(incoming);
        expect(frames.reduce((sum, { length }) => sum + 4 + length, 0)).toBeLessThanOrEqual(cut - 16);
        expect([back, incoming.idle, lies <= 1]).toEqual([1, true, true]);
        lied += lies;
      }),
      { numRuns: 500 },
    );
    expect(lied).toBeGreaterThan(100);
  });
});

/** Node's Worker as its parent sees it: says values, not events; arrays are copied, or given away. */
class WorkerLike extends EventEmitter {
  other: WorkerLike | null = null;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    const value: unknown = structuredClone(message, { transfer });
    queueMicrotask(() => this.other?.emit('message', value));
  }
}

test('two links by objects that say values: frames, buffers and goodbyes go through', async () => {
  const [one, two] = [new WorkerLike(), new WorkerLike()];
  [one.other, two.other] = [two, one];
  const links = [new PortLink(one, 1500), new PortLink(two, 1500)] as const;
  for (const link of links) {
    link.begin();
    link.tell(true, 1500);
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(links.map(({ connected }) => connected)).toEqual([true, true]);
  for (let round = 0; round < 3 * BATCHES; round++) {
    expect(put(links[0].outgoing, new Uint8Array(100).fill(round))).toBe(true);
    links[0].flush();
    await new Promise((resolve) => setImmediate(resolve));
    expect(readAll(links[1].incoming).frames).toEqual([new Uint8Array(100).fill(round)]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  links[0].close();
  await new Promise((resolve) => setImmediate(resolve));
  expect([links[1].connected, one.listenerCount('message')]).toEqual([false, 0]);
  two.emit('exit', 0);
  links[1].close();
});

test('a port that throws is over, and a link that is closed says nothing more', () => {
  const said: unknown[] = [];
  const port = {
    broken: false,
    on: () => {},
    off: () => {},
    postMessage(message: unknown) {
      if (port.broken) throw new Error('over');
      said.push(message);
    },
  };
  const link = new PortLink(port, 1500);
  const user: PortUser = { stirred: () => {}, garbage: () => {}, tooMany: () => {}, version: () => {} };
  link.user = user;
  link.begin();
  link.message(emitHello({ version: 1, asks: true, up: true, mtuBytes: 1500, batches: 2 }));
  expect([said.length, link.connected]).toEqual([2, true]);
  port.broken = true;
  link.tell(true, 1500);
  expect(link.connected).toBe(false);
  // Whatever comes out of it yet: what is sent would go nowhere, and its buffers would not come back.
  port.broken = false;
  link.message(emitHello({ version: 1, asks: false, up: true, mtuBytes: 1500, batches: 2 }));
  expect(link.connected).toBe(false);
  link.close();
  link.close();
  expect(said.length).toBe(2);
});
