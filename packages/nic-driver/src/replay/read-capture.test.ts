import { NetError } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PcapngWriter } from '../pcap/pcapng-writer.ts';
import { readCapture } from './read-capture.ts';
import { RecordedPacket } from './recorded-packet.ts';
import type { EmittedPacket } from './testing/emit-capture.ts';
import { emitPcap, emitPcapng } from './testing/emit-capture.ts';

type Plain = Omit<RecordedPacket, 'offset'> & { bytes: number[] };

/** All that a reader gives, bounds checked. */
function readAll(file: Uint8Array): { packets: Plain[]; broken: string | null } {
  const reader = readCapture(file);
  const packets: Plain[] = [];
  const packet = new RecordedPacket();
  while (reader.next(packet)) {
    const { offset, ...rest } = packet;
    expect(offset + rest.capturedBytes).toBeLessThanOrEqual(file.length);
    expect(reader.interfaces[rest.interfaceId]).toBeDefined();
    packets.push({ ...rest, bytes: [...file.subarray(offset, offset + rest.capturedBytes)] });
  }
  return { packets, broken: reader.broken };
}

const bytes = fc.uint8Array({ maxLength: 70 });

test('the classic format, of both byte orders, in µs and in ns', () => {
  const packet = fc.record({ ticks: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }), bytes, more: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(packet), fc.boolean(), fc.boolean(), (packets, little, nanoseconds) => {
      const { packets: read, broken } = readAll(emitPcap(packets, little, nanoseconds, 101));
      expect(broken).toBe(null);
      expect(read).toEqual(packets.map((each) => plainOf(each, Number(nanoseconds ? each.ticks / 1000n : each.ticks))));
    }),
  );
});

function plainOf({ bytes, more = 0, interfaceId = 0 }: EmittedPacket, timeUs: number, outbound = false, dropped = false): Plain {
  return { capturedBytes: bytes.length, lenBytes: bytes.length + more, timeUs, interfaceId, outbound, dropped, bytes: [...bytes] };
}

/** µs of so many units, as the draft says it. */
function usOf(ticks: bigint, resolution: number): number {
  if (resolution >= 128) return Number((ticks * 1_000_000n) >> BigInt(resolution - 128));
  return Number((ticks * 1_000_000n) / 10n ** BigInt(resolution));
}

test('pcapng: of both byte orders, all resolutions, several interfaces, blocks that nobody knows', () => {
  const resolution = fc.oneof(fc.constant(undefined), fc.nat(12), fc.integer({ min: 128, max: 160 }));
  const packet = fc.record({
    seconds: fc.bigInt({ min: 0n, max: 4_000_000_000n }),
    fraction: fc.bigInt({ min: 0n, max: 999_999n }),
    bytes,
    more: fc.nat(9),
    interfaceId: fc.nat(2),
    flags: fc.constantFrom(undefined, 0, 1, 2, 6, 13),
    comment: fc.constantFrom(undefined, 'hello', 'dropped: udp.checksum: wrong', 'dropped'),
    simple: fc.boolean(),
  });
  const resolutions = fc.array(resolution, { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(packet), resolutions, fc.boolean(), fc.array(bytes, { maxLength: 2 }), (packets, units, little, unknown) => {
      let lastUs = 0;
      const expected: Plain[] = [];
      const emitted = packets.map(({ seconds, fraction, simple, ...rest }): EmittedPacket => {
        const unit = units[rest.interfaceId] ?? 6;
        const second = unit >= 128 ? 1n << BigInt(unit - 128) : 10n ** BigInt(unit);
        const ticks = BigInt.asUintN(64, ((seconds * 1_000_000n + fraction) * second) / 1_000_000n);
        if (!simple) lastUs = usOf(ticks, unit);
        const each = { ticks, simple, bytes: rest.bytes, more: simple ? 0 : rest.more, interfaceId: simple ? 0 : rest.interfaceId };
        const { flags, comment } = rest;
        expected.push(
          plainOf(each, lastUs, !simple && flags !== undefined && (flags & 3) === 2, !simple && comment?.startsWith('dropped: ')),
        );
        return { ...each, ...(flags === undefined ? {} : { flags }), ...(comment === undefined ? {} : { comment }) };
      });
      const interfaces = units.map((unit, id) => ({
        linkType: 1 + id,
        name: `eth${id}`,
        ...(unit === undefined ? {} : { resolution: unit }),
      }));
      const file = emitPcapng(interfaces, emitted, little, unknown);
      const { packets: read, broken } = readAll(file);
      expect(broken).toBe(null);
      expect(read).toEqual(expected);
      expect(readCapture(file).broken).toBe(null);
    }),
  );
});

test('sections one behind the other, of different byte order, each with its own interfaces', () => {
  const one = { ticks: 5n, bytes: Uint8Array.of(1) };
  const two = { ticks: 7n, bytes: Uint8Array.of(2), interfaceId: 1 };
  const first = emitPcapng([{ linkType: 1 }], [one], true);
  const second = emitPcapng([{ linkType: 9 }, { linkType: 101 }], [two], false);
  const { packets } = readAll(new Uint8Array(Buffer.concat([first, second])));
  expect(packets.map(({ timeUs, interfaceId }) => [timeUs, interfaceId])).toEqual([
    [5, 0],
    [7, 2],
  ]);
});

test('a simple packet has as much as the snaplen keeps', () => {
  const file = emitPcapng([{ linkType: 1, snapLenBytes: 2 }], [{ ticks: 0n, bytes: Uint8Array.of(1, 2, 3, 4), simple: true }], true);
  expect(readAll(file).packets).toEqual([expect.objectContaining({ capturedBytes: 2, lenBytes: 4, bytes: [1, 2] })]);
});

test('what our writer wrote is read', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ timeUs: fc.maxSafeNat(), bytes, flags: fc.nat(31) })), (packets) => {
      const pieces: Uint8Array[] = [];
      const writer = new PcapngWriter((piece) => void pieces.push(piece), 'softnet');
      writer.describeInterface(1, 'eth0', 65_535);
      for (const packet of packets) {
        const at = writer.beginPacket(0, packet.timeUs, packet.bytes.length, packet.bytes.length, 0);
        for (const [i, byte] of packet.bytes.entries()) writer.view.setUint8(at + i, byte);
        writer.endPacket(packet.flags, null);
      }
      writer.flush();
      const { packets: read } = readAll(new Uint8Array(Buffer.concat(pieces)));
      expect(read.map(({ timeUs, bytes }) => [timeUs, bytes])).toEqual(packets.map(({ timeUs, bytes }) => [timeUs, [...bytes]]));
    }),
  );
});

describe('what is broken', () => {
  const packets = Array.from({ length: 5 }, (_, i) => ({ ticks: BigInt(i), bytes: new Uint8Array(30 + i), comment: 'hello' }));
  const files = [
    emitPcap(packets, true, false),
    emitPcap(packets, false, true),
    emitPcapng([{ linkType: 1, name: 'eth0' }], packets, true),
  ];

  test('a file that is cut off gives what is whole, and says where it ends', () => {
    for (const file of files) {
      const { packets: all } = readAll(file);
      for (let lenBytes = 4; lenBytes < file.length; lenBytes++) {
        const { packets: read, broken } = readAll(file.slice(0, lenBytes));
        expect(read).toEqual(all.slice(0, read.length));
        if (broken !== null) expect(broken).toMatch(/^it ends within .*, at byte \d+$|after \d+ bytes$/);
      }
    }
  });

  test('garbage and lying lengths are never read over, and never throw anything else', () => {
    const change = fc.record({ at: fc.nat(400), value: fc.constantFrom(0, 1, 4, 12, 0x7f, 0x80, 0xff) });
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(change, { maxLength: 4 }), fc.nat(3), (file, changes, width) => {
        const changed = file.slice();
        for (const { at, value } of changes) changed.fill(value, at % changed.length, (at % changed.length) + 1 + width);
        try {
          readAll(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(NetError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('an option that says more than there is says nothing', () => {
    const file = emitPcapng([{ linkType: 1, name: 'eth0' }], [{ ticks: 1n, bytes: Uint8Array.of(1), comment: 'dropped: x' }], true);
    const [name, comment] = ['eth0', 'dropped'].map((text) => Buffer.from(file).indexOf(text) - 2) as [number, number];
    const lied = file.slice();
    new DataView(lied.buffer).setUint16(name, 60, true);
    new DataView(lied.buffer).setUint16(comment, 60, true);
    for (const [bytes, read] of [[file, ['eth0', true]] as const, [lied, ['', false]] as const]) {
      const reader = readCapture(bytes);
      const packet = new RecordedPacket();
      expect(reader.next(packet)).toBe(true);
      expect([reader.interfaces[0]?.name, packet.dropped]).toEqual(read);
    }
  });

  test('reading again gives the same, broken or not', () => {
    const cut = files[2]!.slice(0, -10);
    const reader = readCapture(cut);
    const packet = new RecordedPacket();
    const count = (): number => {
      let packets = 0;
      while (reader.next(packet)) packets++;
      return packets;
    };
    const first = [count(), reader.broken];
    reader.rewind();
    expect([count(), reader.broken]).toEqual(first);
    expect(first[1]).not.toBe(null);
  });

  test.each<[Uint8Array, string]>([
    [new Uint8Array(0), 'this is no capture: it is empty'],
    [Uint8Array.of(1), 'it has 1 bytes only'],
    [Uint8Array.of(0x1f, 0x8b, 8, 0), 'it is packed by gzip: unpack it first'],
    [new TextEncoder().encode('hello'), 'it begins with 68656c6c, no magic of pcap or pcapng'],
  ])('what is no capture at all: %#', (file, sentence) => {
    expect(() => readCapture(file)).toThrow(NetError);
    expect(() => readCapture(file)).toThrow(sentence);
  });
});
