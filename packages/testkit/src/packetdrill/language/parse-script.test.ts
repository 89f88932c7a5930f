import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseScript } from './parse-script.ts';
import { printScript } from './print-script.ts';
import { ScriptSyntaxError } from './syntax-error.ts';
import { arbitraryScript } from './testing/arbitrary-script.ts';

const NOWHERE = { line: 1, column: 1 };

/** Without places, which printing moves. */
function bare(script: ReturnType<typeof parseScript>) {
  const at = NOWHERE;
  return {
    ...script,
    options: script.options.map((option) => ({ ...option, at })),
    events: script.events.map((event) => ({ ...event, at })),
  };
}

test('what is printed reads as the same script', () => {
  fc.assert(
    fc.property(arbitraryScript, (script) => {
      expect(bare(parseScript('script.pkt', printScript(script)))).toEqual(script);
    }),
    { numRuns: 300 },
  );
});

test('garbage is a script or a ScriptSyntaxError with a place', () => {
  const words = [
    '+0',
    '0.1...0.2',
    '~',
    '*',
    '<',
    '>',
    'S.',
    '0:0(0)',
    'ack',
    '1',
    'win',
    '<mss 1,',
    'udp (',
    ')',
    'icmp',
    '[ce]',
    'read(3,',
    '...,',
    '{',
    '}',
    '=',
    '-1',
    'EAGAIN',
    '`',
    '%{',
    '}%',
    '"',
    '\n',
    '//',
    '/*',
    '#',
    '--mtu=',
    'ipv6',
    '::1:',
    'gre',
    'mpls (label',
  ];
  const soup = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((each) => each.join(' ')),
  );
  fc.assert(
    fc.property(soup, (text) => {
      try {
        parseScript('soup', text);
      } catch (error) {
        if (!(error instanceof ScriptSyntaxError)) throw error;
        expect(error.message).toMatch(/^soup:\d+:\d+: expected .+, found /);
        expect(error.at.line).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a script that is cut off, or has one character changed, never throws anything else', () => {
  fc.assert(
    fc.property(arbitraryScript, fc.nat(), fc.string({ maxLength: 2 }), (script, place, other) => {
      const text = printScript(script);
      const at = place % (text.length + 1);
      try {
        parseScript('x', text.slice(0, at) + other + text.slice(at + 1));
      } catch (error) {
        if (!(error instanceof ScriptSyntaxError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['+0 socket(', 1, 11, 'a value'],
  ['+0 read(3, ..., 5) 5', 1, 20, "'='"],
  ['0 socket() = 3\n+0 > Z 0:0(0)', 2, 6, "TCP's flags"],
  ['+0 > S 0:5(0)', 1, 13, '5 bytes'],
  ['+0 > S 0:0(0) <mss>', 1, 19, 'a segment size'],
  ['+0 > S 0:0(0) <bad 1>', 1, 16, 'a TCP option'],
  ['+0 > S 0:0(0) <mp_capable a>', 1, 16, "MPTCP's are not known"],
  ['+0 < sctp: INIT[flgs=0]', 1, 6, 'sctp is not known'],
  ['+0 < dccp request', 1, 6, 'dccp is not known'],
  ['+0 < udp (x)', 1, 11, 'a number of bytes'],
  ['+0 < icmp unreachable nowhere', 1, 23, 'a code of unreachable'],
  ['+0 < [purple] udp (1)', 1, 7, "'ecn'"],
  ['+0 < S 0:0(0) win 65536', 1, 19, 'at most 65535'],
  ['+0~0.2 > S 0:0(0)', 1, 4, "'+'"],
  ['0.5...0.2 read(3) = 0', 1, 7, 'not before the start'],
  ['0.1...0.2 > S 0:0(0)', 1, 1, 'a call behind'],
  ['+0 `sysctl', 1, 11, "'`'"],
  ['hello', 1, 1, 'a time'],
  ['--=3', 1, 3, 'the name of an option'],
  ['+0 f(0x20000000000000) = 0', 1, 6, 'below 2^53'],
])('%s', (text, line, column, expected) => {
  let caught: unknown;
  try {
    parseScript('s.pkt', text);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(ScriptSyntaxError);
  expect((caught as ScriptSyntaxError).at).toEqual({ line, column });
  expect((caught as ScriptSyntaxError).message).toContain(expected);
});

test('every notation of the language', () => {
  const text = `
--ip_version=ipv4 --mtu=1500
--tolerance_usecs=10000
// one comment /* and */ another
# and a third
\`./defaults.sh
sysctl -q net.ipv4.tcp_sack=1\`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+.1...0.2 connect(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}, ...) = 0
* > SEW 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>
+0.1~+0.3 < [ect0] S. 0:0(0) ack 1 win 32792 <mss 1460,nop,nop,sackOK,FO 0123456789abcdef,eol>
1.5~2.5 > (flowlabel 0x12, tos 0x10, ttl 64) 5P. 1:1001(1000) ack 1 win 229 urg 7 <...>
+0 < . 1:1(0) ack 1 win 257 <nop,nop,sack 1001:2001 3001:4001>
+0 > ipv4 192.0.2.1 > 192.0.2.2: gre flags 0x2000, proto 0x800, key 7: mpls (label 16, tc 1, [S], ttl 64): udp (100)
+0 > ipv6 fd00::1 > fd00:::  5000 > 6000 udp (10)
+0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]
+0 < icmpv6 packet_too_big mtu 1280 [udp (2000)]
+0 > icmp echo_reply id 7 seq 1 (56)
+0 poll([{fd=3, events=POLLIN, revents=POLLIN|POLLERR}], 1, -1) = 1
+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0, msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=64}]}, 0) = 1000
+0 read(3, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)
+0 %{ assert tcpi_cwnd == 10, tcpi_cwnd }%
`;
  const { options, setup, events } = parseScript('all.pkt', text);
  expect(options.map(({ name, value }) => [name, value])).toEqual([
    ['ip_version', 'ipv4'],
    ['mtu', '1500'],
    ['tolerance_usecs', '10000'],
  ]);
  expect(setup).toContain('net.ipv4.tcp_sack=1');
  expect(events.map(({ body }) => body.kind)).toEqual([
    'syscall',
    'syscall',
    'packet',
    'packet',
    'packet',
    'packet',
    'packet',
    'packet',
    'packet',
    'packet',
    'packet',
    'syscall',
    'syscall',
    'syscall',
    'code',
  ]);
  expect(events[1]).toMatchObject({ time: { kind: 'relative', startUs: 100_000 }, untilUs: 200_000 });
  expect(events[4]!.body).toMatchObject({ packet: { upper: { flags: 'P.', ace: 5, urgent: 7, options: null } } });
});
