import fc from 'fast-check';
import type { Expression } from '../expression.ts';
import { ICMP_WORDS } from '../icmp-words.ts';
import type { IcmpSpec, OuterHeader, PacketSpec, PortsSpec, SeqSpec, TcpOptionSpec, TcpSpec, UdpSpec } from '../packet-spec.ts';
import { ECN_NAMES, FLAG_BITS } from '../packet-spec.ts';
import type { EventBody, EventTime, Script, ScriptEvent, SyscallSpec } from '../script.ts';

const NOWHERE = Object.freeze({ line: 1, column: 1 });
const word32: Readonly<fc.Arbitrary<number>> = fc.nat(0xffffffff);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const name: Readonly<fc.Arbitrary<string>> = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);

/** Any expression that scripts can write. */
const arbitraryExpression: Readonly<fc.Arbitrary<Expression>> = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'expression' },
    fc.record({ kind: fc.constant('number' as const), value: fc.maxSafeNat(), hex: fc.boolean() }),
    fc.nat(10_000).map((n) => ({ kind: 'real' as const, value: n / 8 })),
    fc.string({ unit: 'binary-ascii' }).map((value) => ({ kind: 'string' as const, value })),
    name.map((of) => ({ kind: 'name' as const, name: of })),
    fc.constant({ kind: 'ellipsis' as const }),
    fc.record({ kind: fc.constant('call' as const), name, args: fc.array(tie('expression'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('list' as const), items: fc.array(tie('expression'), { maxLength: 3 }) }),
    fc.record({
      kind: fc.constant('record' as const),
      fields: fc.array(
        fc.oneof(
          fc.record({ name, argument: orNull(tie('expression')), value: tie('expression') }),
          fc.record({ name: fc.constant(null), argument: fc.constant(null), value: tie('expression') }),
        ),
        { maxLength: 3 },
      ),
    }),
    fc.record({ kind: fc.constant('unary' as const), sign: fc.constantFrom('-' as const, '~' as const), operand: tie('expression') }),
    fc.record({
      kind: fc.constant('binary' as const),
      sign: fc.constantFrom('|' as const, '<<' as const),
      left: tie('expression'),
      right: tie('expression'),
    }),
  ),
})).expression;

const seq: Readonly<fc.Arbitrary<SeqSpec>> = fc
  .tuple(word32, fc.nat(0xffff))
  .map(([from, lenBytes]) => ({ seq: from, end: (from + lenBytes) >>> 0, lenBytes }));
const hex: Readonly<fc.Arbitrary<string>> = fc.stringMatching(/^[0-9a-f]{2,16}$/);
const ports: Readonly<fc.Arbitrary<PortsSpec | null>> = orNull(fc.record({ src: fc.nat(0xffff), dst: fc.nat(0xffff) }));

const tcpOption: Readonly<fc.Arbitrary<TcpOptionSpec>> = fc.oneof(
  fc.constantFrom('nop' as const, 'eol' as const, 'sackOK' as const).map((kind) => ({ kind })),
  fc.nat(0xffff).map((value) => ({ kind: 'mss' as const, value })),
  fc.nat(0xff).map((value) => ({ kind: 'wscale' as const, value })),
  fc.array(fc.tuple(word32, word32), { minLength: 1, maxLength: 4 }).map((blocks) => ({ kind: 'sack' as const, blocks })),
  fc.tuple(word32, word32).map(([value, echo]) => ({ kind: 'TS' as const, value, echo })),
  fc.tuple(fc.constantFrom('FO' as const, 'FOEXP' as const), fc.oneof(fc.constant(''), hex)).map(([kind, cookie]) => ({ kind, cookie })),
  hex.map((digest) => ({ kind: 'md5' as const, digest })),
  fc
    .uniqueArray(fc.constantFrom('e0b', 'ceb', 'e1b'), { minLength: 1 })
    .map((names) => ({ kind: 'ECN' as const, counters: names.map((each, i) => [each, i * 7] as const) })),
);

const flags: Readonly<fc.Arbitrary<string>> = fc.subarray([...FLAG_BITS.keys()]).map((letters) => letters.join(''));

const tcp: Readonly<fc.Arbitrary<TcpSpec>> = fc
  .tuple(
    ports,
    flags,
    orNull(fc.nat(7)),
    seq,
    orNull(word32),
    orNull(fc.nat(0xffff)),
    orNull(fc.nat(0xffff)),
    orNull(fc.array(tcpOption, { maxLength: 4 })),
  )
  .map(([of, letters, ace, range, ack, window, urgent, options]) => {
    const rest = letters.replace(/[EWA]/g, '');
    const isAce = ace !== null && rest !== '';
    return { kind: 'tcp', ports: of, flags: isAce ? rest : letters, ace: isAce ? ace : null, ...range, ack, window, urgent, options };
  });

const udp: Readonly<fc.Arbitrary<UdpSpec>> = fc.record({ kind: fc.constant('udp' as const), ports, lenBytes: fc.nat(65_527) });

const icmp: Readonly<fc.Arbitrary<IcmpSpec>> = fc.constantFrom(4 as const, 6 as const).chain((version) =>
  fc.constantFrom(...Object.keys(ICMP_WORDS[version]), 77).chain((type) => {
    const codes = typeof type === 'string' ? Object.keys(ICMP_WORDS[version][type]!.codes) : [];
    return fc.record({
      kind: fc.constant('icmp' as const),
      version: fc.constant(version),
      type: fc.constant(type),
      code: fc.constantFrom(null, 5, ...codes),
      mtu: orNull(word32),
      id: orNull(fc.nat(0xffff)),
      seq: orNull(fc.nat(0xffff)),
      lenBytes: orNull(fc.nat(65_507)),
      quoted: orNull(
        fc.oneof(
          fc.nat(65_507).map((lenBytes) => ({ protocol: 'udp' as const, lenBytes })),
          seq.map((of) => ({ protocol: 'tcp' as const, ...of })),
        ),
      ),
    });
  }),
);

const outer: Readonly<fc.Arbitrary<OuterHeader>> = fc.oneof(
  fc.constant({ kind: 'ipv4' as const, src: '192.0.2.1', dst: '10.0.0.1' }),
  fc.constant({ kind: 'ipv6' as const, src: 'fd00::', dst: 'fd00::2:1' }),
  fc.record({ kind: fc.constant('gre' as const), flags: fc.nat(0xffff), protocol: fc.nat(0xffff), key: orNull(word32) }),
  fc
    .array(fc.record({ label: fc.nat(0xfffff), tc: fc.nat(7), bottom: fc.boolean(), ttl: fc.nat(255) }), { minLength: 1, maxLength: 3 })
    .map((stack) => ({ kind: 'mpls' as const, stack })),
);

export const arbitraryPacket: Readonly<fc.Arbitrary<PacketSpec>> = fc.record({
  direction: fc.constantFrom('in' as const, 'out' as const),
  outer: fc.array(outer, { maxLength: 2 }),
  ip: fc.record({
    ecn: orNull(fc.constantFrom(...ECN_NAMES)),
    tos: orNull(fc.nat(255)),
    ttl: orNull(fc.nat(255)),
    flowLabel: orNull(fc.nat(0xfffff)),
    frags: orNull(fc.nat(0xff)),
  }),
  upper: fc.oneof(tcp, udp, icmp),
});

const us: Readonly<fc.Arbitrary<number>> = fc.nat(2_000_000_000);
const time: Readonly<fc.Arbitrary<EventTime>> = fc.record({
  kind: fc.constantFrom('absolute' as const, 'relative' as const),
  startUs: us,
  endUs: fc.constant(null),
});

const shell: Readonly<fc.Arbitrary<string>> = fc.stringMatching(/^[a-z =.0-9\n]{0,20}$/);
const call: Readonly<fc.Arbitrary<SyscallSpec>> = fc.record({
  name,
  args: fc.array(arbitraryExpression, { maxLength: 4 }),
  result: arbitraryExpression,
  errno: orNull(fc.constantFrom('EAGAIN', 'ECONNREFUSED')),
  note: orNull(fc.stringMatching(/^[a-zA-Z ]{0,10}$/)),
});

const event: Readonly<fc.Arbitrary<ScriptEvent>> = fc
  .tuple(
    time,
    orNull(us),
    fc.oneof(
      arbitraryPacket.map((packet): EventBody => ({ kind: 'packet', packet })),
      call.map((of): EventBody => ({ kind: 'syscall', call: of })),
      shell.map((text): EventBody => ({ kind: 'shell', text })),
      shell.map((text): EventBody => ({ kind: 'code', text })),
    ),
  )
  .map(([when, more, body]) => {
    const later = more === null ? null : when.startUs + more;
    if (body.kind === 'packet') return { at: NOWHERE, time: { ...when, endUs: later }, untilUs: null, body };
    return { at: NOWHERE, time: when, untilUs: body.kind === 'syscall' ? later : null, body };
  });

export const arbitraryScript: Readonly<fc.Arbitrary<Script>> = fc.record({
  file: fc.constant('script.pkt'),
  options: fc.array(
    fc.record({
      name: fc.stringMatching(/^[a-z][a-z_]{0,8}$/),
      value: orNull(fc.stringMatching(/^[a-z0-9.:]{0,8}$/)),
      at: fc.constant(NOWHERE),
    }),
    { maxLength: 3 },
  ),
  setup: orNull(shell),
  events: fc.array(event, { maxLength: 5 }),
});
