import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PacketSpec, TcpSpec } from '../language/packet-spec.ts';
import { arbitraryPacket } from '../language/testing/arbitrary-script.ts';
import { buildPacket } from './build-packet.ts';
import { differences } from './differences.ts';
import { Flow } from './flow.ts';
import { readPacket } from './read-packet.ts';
import { showLive } from './show-live.ts';

const ENDS = { 4: ['192.168.0.1', '192.0.2.1'], 6: ['fd3d::1', '2001:db8::1'] } as const;

/** What the script sends, compared as if the kernel had sent it: both ends are exchanged. */
function compared(built: PacketSpec, expected: PacketSpec, version: 4 | 6): string[] {
  const [local, remote] = ENDS[version];
  const sender = new Flow(6, local, remote, 8080, 53000);
  const live = readPacket(buildPacket(built, sender, version), () => null);
  const flow = new Flow(6, remote, local, 53000, 8080);
  expect(showLive(live, flow)).toMatch(/^>/);
  return differences(live, { spec: expected, flow, version, toleranceUs: 4000 });
}

/** Packets of one version, whose options fit in a header, and which say all that they have. */
const packet = fc
  .tuple(arbitraryPacket, fc.constantFrom(4 as const, 6 as const))
  .map(([spec, version]) => ({ spec: tidy(spec, version), version }))
  .filter(({ spec }) => spec.upper.kind !== 'tcp' || optionBytes(spec.upper) <= 40);

function tidy({ ip, upper, outer, direction }: PacketSpec, version: 4 | 6): PacketSpec {
  const isOdd = ip.ecn === 'ect01';
  const tidied = {
    ...ip,
    tos: ip.tos === null ? null : ip.tos & ~3,
    flowLabel: version === 4 ? null : ip.flowLabel,
    frags: null,
    ecn: isOdd ? null : ip.ecn,
  };
  const short = upper.kind === 'icmp' ? icmpOf(version) : { ...upper, lenBytes: Math.min(upper.lenBytes, 1200) };
  const whole =
    short.kind === 'tcp'
      ? {
          ...short,
          end: (short.seq + short.lenBytes) >>> 0,
          ack: short.flags.includes('.') ? short.ack : null,
          urgent: short.flags.includes('U') ? short.urgent : null,
          options: (short.options ?? []).filter(({ kind }) => kind !== 'eol' && kind !== 'ECN'),
        }
      : short;
  return {
    direction,
    ip: tidied,
    upper: whole,
    outer: outer.filter(({ kind }) => kind === 'ipv4' || kind === 'ipv6').map((header) => header),
  };
}

function icmpOf(version: 4 | 6): PacketSpec['upper'] {
  return { kind: 'icmp', version, type: 'echo_request', code: null, mtu: null, id: 7, seq: 9, lenBytes: 56, quoted: null };
}

function optionBytes({ options }: TcpSpec): number {
  const sizes = { nop: 1, eol: 1, sackOK: 2, mss: 4, wscale: 3, TS: 10 } as const;
  return (options ?? []).reduce((sum, option) => {
    if (option.kind === 'sack') return sum + 2 + 8 * option.blocks.length;
    if (option.kind === 'md5') return sum + 2 + option.digest.length;
    if (option.kind === 'FO' || option.kind === 'FOEXP') return sum + 5 + option.cookie.length;
    return sum + (option.kind === 'ECN' ? 20 : sizes[option.kind]);
  }, 0);
}

test('a packet as written is the packet as read', () => {
  fc.assert(
    fc.property(packet, ({ spec, version }) => {
      const upper = spec.upper.kind === 'tcp' ? { ...spec.upper, options: evenCookies(spec.upper) } : spec.upper;
      const even = { ...spec, upper };
      expect(compared(even, even, version)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function evenCookies({ options }: TcpSpec): TcpSpec['options'] {
  const even = (text: string) => text.slice(0, text.length & ~1);
  return (options ?? []).map((option) => {
    if (option.kind === 'md5') return { ...option, digest: even(option.digest) };
    return option.kind === 'FO' || option.kind === 'FOEXP' ? { ...option, cookie: even(option.cookie) } : option;
  });
}

const SEGMENT: TcpSpec = {
  kind: 'tcp',
  ports: null,
  flags: 'P.',
  ace: null,
  seq: 1,
  end: 101,
  lenBytes: 100,
  ack: 1,
  window: 100,
  urgent: null,
  options: [{ kind: 'nop' }, { kind: 'sack', blocks: [[1001, 2001]] }, { kind: 'mss', value: 1000 }],
};
const NOTHING = { ecn: null, tos: null, ttl: null, flowLabel: null, frags: null };
const spec = (upper: PacketSpec['upper'], ip: Partial<PacketSpec['ip']> = {}): PacketSpec => ({
  direction: 'out',
  outer: [],
  ip: { ...NOTHING, ...ip },
  upper,
});

test.each<[string, PacketSpec, string]>([
  ['flags', spec({ ...SEGMENT, flags: '.' }), 'the flags'],
  ['a counter of AccECN', spec({ ...SEGMENT, ace: 5 }), 'the flags'],
  ['sequence', spec({ ...SEGMENT, seq: 2, end: 102 }), 'the sequence number'],
  ['length', spec({ ...SEGMENT, end: 102, lenBytes: 101 }), 'its length'],
  ['acknowledgment', spec({ ...SEGMENT, ack: 2 }), 'the acknowledgment'],
  ['window', spec({ ...SEGMENT, window: 101 }), 'the window'],
  ['urgent pointer', spec({ ...SEGMENT, urgent: 1 }), 'the urgent pointer'],
  ['an option less', spec({ ...SEGMENT, options: SEGMENT.options!.slice(0, 2) }), 'the options'],
  ['another order', spec({ ...SEGMENT, options: SEGMENT.options!.toReversed() }), 'the options'],
  [
    'another block',
    spec({ ...SEGMENT, options: [{ kind: 'nop' }, { kind: 'sack', blocks: [[1001, 2002]] }, { kind: 'mss', value: 1000 }] }),
    'the options',
  ],
  ['ECN', spec(SEGMENT, { ecn: 'ce' }), 'ECN'],
  ['either of ECT', spec(SEGMENT, { ecn: 'ect01' }), 'ECN'],
  ['TTL', spec(SEGMENT, { ttl: 1 }), 'the TTL'],
  ['type of service', spec(SEGMENT, { tos: 8 }), 'the type of service'],
  ['protocol', spec({ kind: 'udp', ports: null, lenBytes: 100 }), 'it is tcp, not udp'],
  ['ports', spec({ ...SEGMENT, ports: { src: 1, dst: 2 } }), 'the source port'],
])('another %s differs', (_name, expected, sentence) => {
  expect(compared(spec(SEGMENT), expected, 4).join('; ')).toContain(sentence);
});

test('bytes that are no packet are said to be none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(readPacket(bytes, () => null).upper).toBeDefined();
    }),
  );
});

test('a wrong checksum is seen', () => {
  const [local, remote] = ENDS[4];
  const bytes = buildPacket(spec(SEGMENT), new Flow(6, local, remote, 8080, 53000), 4);
  bytes[bytes.length - 1]! ^= 1;
  expect(readPacket(bytes, () => null).upper).toEqual({ kind: 'other', what: 'tcp.checksum' });
});

test('headers around a packet, as written and as read', () => {
  const ip = { kind: 'ipv4' as const, src: '198.51.100.1', dst: '198.51.100.2' };
  const stack = [
    { label: 16, tc: 1, bottom: false, ttl: 63 },
    { label: 17, tc: 0, bottom: true, ttl: 62 },
  ];
  const outers: PacketSpec['outer'][] = [
    [ip],
    [{ kind: 'ipv6', src: '2001:db8::1', dst: '2001:db8::2' }],
    [ip, { kind: 'gre', flags: 0, protocol: 0x800, key: null }],
    [ip, { kind: 'gre', flags: 0x2000, protocol: 0x800, key: 7 }],
    [ip, { kind: 'gre', flags: 0, protocol: 0x8847, key: null }, { kind: 'mpls', stack }],
  ];
  for (const outer of outers) {
    const packet = { ...spec(SEGMENT), outer };
    expect(compared(packet, packet, 4)).toEqual([]);
    expect(compared(packet, spec(SEGMENT), 4).join()).toContain('the outer headers');
  }
});
