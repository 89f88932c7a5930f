import type { Expression, RecordField } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import { evaluate } from './evaluate.ts';
import { ScriptFailure } from './script-failure.ts';

/** A field of a C struct: where, and how wide; 16 bytes are an IPv6 address, a missing value is zero. */
type LayoutField = readonly [name: string, offset: number, bytes: 1 | 2 | 4 | 8 | 16];

/** C's structs as Linux lays them out on 64 bits. */
export interface Layout {
  readonly bytes: number;
  readonly fields: readonly LayoutField[];
}

export const LAYOUTS = Object.freeze({
  sockaddrIn: {
    bytes: 16,
    fields: [
      ['sa_family', 0, 2],
      ['sin_family', 0, 2],
      ['sin_port', 2, 2],
      ['sin_addr', 4, 4],
    ],
  },
  sockaddrIn6: {
    bytes: 28,
    fields: [
      ['sa_family', 0, 2],
      ['sin6_family', 0, 2],
      ['sin6_port', 2, 2],
      ['sin6_flowinfo', 4, 4],
      ['sin6_addr', 8, 16],
      ['sin6_scope_id', 24, 4],
    ],
  },
  linger: {
    bytes: 8,
    fields: [
      ['onoff', 0, 4],
      ['l_onoff', 0, 4],
      ['linger', 4, 4],
      ['l_linger', 4, 4],
    ],
  },
  timeval: {
    bytes: 16,
    fields: [
      ['tv_sec', 0, 8],
      ['tv_usec', 8, 8],
    ],
  },
  timespec: {
    bytes: 16,
    fields: [
      ['tv_sec', 0, 8],
      ['tv_nsec', 8, 8],
    ],
  },
  timestamping: {
    bytes: 48,
    fields: [
      ['scm_sec', 0, 8],
      ['scm_nsec', 8, 8],
    ],
  },
  ipMreq: {
    bytes: 8,
    fields: [
      ['imr_multiaddr', 0, 4],
      ['imr_interface', 4, 4],
    ],
  },
  ipMreqn: {
    bytes: 12,
    fields: [
      ['imr_multiaddr', 0, 4],
      ['imr_address', 4, 4],
      ['imr_ifindex', 8, 4],
    ],
  },
  ipv6Mreq: {
    bytes: 20,
    fields: [
      ['ipv6mr_multiaddr', 0, 16],
      ['ipv6mr_interface', 16, 4],
    ],
  },
  inPktinfo: {
    bytes: 12,
    fields: [
      ['ipi_ifindex', 0, 4],
      ['ipi_spec_dst', 4, 4],
      ['ipi_addr', 8, 4],
    ],
  },
  in6Pktinfo: {
    bytes: 20,
    fields: [
      ['ipi6_addr', 0, 16],
      ['ipi6_ifindex', 16, 4],
    ],
  },
  ip6Mtuinfo: {
    bytes: 32,
    fields: [
      ['sin6_family', 0, 2],
      ['sin6_addr', 8, 16],
      ['ip6m_mtu', 28, 4],
    ],
  },
  extendedError: {
    bytes: 16,
    fields: [
      ['ee_errno', 0, 4],
      ['ee_origin', 4, 1],
      ['ee_type', 5, 1],
      ['ee_code', 6, 1],
      ['ee_pad', 7, 1],
      ['ee_info', 8, 4],
      ['ee_data', 12, 4],
    ],
  },
} as const satisfies Record<string, Layout>);

/** The layout that has all fields of a record. @throws ScriptFailure where none has. */
function layoutOf(fields: readonly RecordField[]): Layout {
  const layouts: readonly Layout[] = Object.values(LAYOUTS);
  const found = layouts.find((layout) => fields.every(({ name }) => layout.fields.some(([of]) => of === name)));
  if (found !== undefined && fields.length > 0) return found;
  throw new ScriptFailure(`no struct that is known has the fields ${fields.map(({ name }) => name ?? '(by place)').join(', ')}`);
}

/** Bytes of a record. */
export function encode(fields: readonly RecordField[], layout: Layout = layoutOf(fields)): Uint8Array {
  const bytes = new Uint8Array(layout.bytes);
  for (const { name, value } of fields) {
    const field = layout.fields.find(([of]) => of === name);
    if (field === undefined)
      throw new ScriptFailure(`there is no field '${name}' here; there are ${layout.fields.map(([of]) => of).join(', ')}`);
    if (value.kind !== 'ellipsis') bytes.set(fieldBytes(value, field[2]), field[1]);
  }
  return bytes;
}

/** In which fields a struct differs from what the script says; `...` is any. Null: in none. */
export function recordDiffers(fields: readonly RecordField[], bytes: Uint8Array, layout: Layout = layoutOf(fields)): string | null {
  for (const { name, value } of fields) {
    const field = layout.fields.find(([of]) => of === name);
    if (field === undefined)
      throw new ScriptFailure(`there is no field '${name}' here; there are ${layout.fields.map(([of]) => of).join(', ')}`);
    if (value.kind === 'ellipsis') continue;
    const expected = fieldBytes(value, field[2]);
    const actual = bytes.subarray(field[1], field[1] + field[2]);
    if (hex(expected) !== hex(actual)) return `${name} is ${shown(actual)}, not ${printExpression(value)}`;
  }
  return null;
}

/** An int, an address or text in so many bytes. */
export function fieldBytes(value: Expression, lenBytes: number): Uint8Array {
  const worth = evaluate(value);
  if (worth instanceof Uint8Array) return worth;
  if (typeof worth === 'string') return Uint8Array.from(worth, (char) => char.charCodeAt(0));
  const bytes = new Uint8Array(lenBytes);
  let rest = BigInt(Math.trunc(worth));
  for (let i = 0; i < lenBytes; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

/** A number where it is one. */
export function shown(bytes: Uint8Array): string {
  if (bytes.length > 8) return hex(bytes);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return String(bytes.length === 4 ? BigInt.asIntN(32, value) : value);
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
