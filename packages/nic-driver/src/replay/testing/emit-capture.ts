/** A packet of a file that a test writes, by hand. */
export interface EmittedPacket {
  /** Time in units of the interface's resolution. */
  readonly ticks: bigint;
  readonly bytes: Uint8Array;
  /** Longer on the wire by so many bytes. */
  readonly more?: number;
  readonly interfaceId?: number;
  readonly flags?: number;
  readonly comment?: string;
  /** As a simple packet block. */
  readonly simple?: boolean;
}

export interface EmittedInterface {
  readonly linkType: number;
  readonly name?: string;
  /** As `if_tsresol`. */
  readonly resolution?: number;
  readonly snapLenBytes?: number;
}

/** Numbers in one byte order. */
class Pen {
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  u16(value: number): Buffer {
    const bytes = Buffer.alloc(2);
    if (this.#little) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  }

  u32(...values: readonly number[]): Buffer {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) {
      if (this.#little) bytes.writeUInt32LE(value >>> 0, 4 * i);
      else bytes.writeUInt32BE(value >>> 0, 4 * i);
    }
    return bytes;
  }

  option(code: number, value: Uint8Array): Buffer {
    return Buffer.concat([this.u16(code), this.u16(value.length), padded(value)]);
  }

  block(type: number, ...parts: readonly Uint8Array[]): Buffer {
    const body = padded(Buffer.concat(parts));
    return Buffer.concat([this.u32(type, body.length + 12), body, this.u32(body.length + 12)]);
  }
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

/** The classic format. `ticks` are µs, or ns. */
export function emitPcap(packets: readonly EmittedPacket[], little: boolean, nanoseconds: boolean, linkType = 1): Uint8Array {
  const pen = new Pen(little);
  const second = nanoseconds ? 1_000_000_000n : 1_000_000n;
  const header = [pen.u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4), pen.u16(2), pen.u16(4), pen.u32(0, 0, 65_535, linkType)];
  const records = packets.flatMap(({ ticks, bytes, more = 0 }) => [
    pen.u32(Number(ticks / second), Number(ticks % second), bytes.length, bytes.length + more),
    Buffer.from(bytes),
  ]);
  return new Uint8Array(Buffer.concat([...header, ...records]));
}

/** One section of pcapng. */
export function emitPcapng(
  interfaces: readonly EmittedInterface[],
  packets: readonly EmittedPacket[],
  little: boolean,
  unknown: readonly Uint8Array[] = [],
): Uint8Array {
  const pen = new Pen(little);
  const text = new TextEncoder();
  const strange = unknown.map((bytes) => pen.block(0x0bad_0001, bytes));
  const parts = [pen.block(0x0a0d0d0a, pen.u32(0x1a2b3c4d), pen.u16(1), pen.u16(0), pen.u32(-1, -1)), ...strange];
  for (const { linkType, name, resolution, snapLenBytes = 0 } of interfaces) {
    const options = [
      ...(name === undefined ? [] : [pen.option(2, text.encode(name))]),
      ...(resolution === undefined ? [] : [pen.option(9, Uint8Array.of(resolution))]),
      ...(name === undefined && resolution === undefined ? [] : [pen.u32(0)]),
    ];
    parts.push(pen.block(1, pen.u16(linkType), pen.u16(0), pen.u32(snapLenBytes), ...options));
  }
  for (const { ticks, bytes, more = 0, interfaceId = 0, flags, comment, simple = false } of packets) {
    const options = [
      ...(comment === undefined ? [] : [pen.option(1, text.encode(comment))]),
      ...(flags === undefined ? [] : [pen.option(2, pen.u32(flags))]),
      ...(comment === undefined && flags === undefined ? [] : [pen.u32(0)]),
    ];
    const [high, low] = [Number(ticks >> 32n), Number(ticks & 0xffffffffn)];
    if (simple) parts.push(pen.block(3, pen.u32(bytes.length + more), padded(bytes)));
    else parts.push(pen.block(6, pen.u32(interfaceId, high, low, bytes.length, bytes.length + more), padded(bytes), ...options));
    parts.push(...strange);
  }
  return new Uint8Array(Buffer.concat(parts));
}
