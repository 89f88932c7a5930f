import type { Cursor } from './cursor.ts';
import type { PortsSpec, TcpOptionSpec, TcpSpec } from './packet-spec.ts';
import { FLAG_BITS } from './packet-spec.ts';
import { parseSeq } from './parse-icmp.ts';

const FLAGS = /-(?=\s)|[FSRPEWUA.0-7]+(?=[\s])/;
const HEX = /[0-9a-fA-F]+(?![\w])/;
const COUNTERS = ['e0b', 'ceb', 'e1b'] as const;

/** From the flags on. @throws ScriptSyntaxError */
export function parseTcp(cursor: Cursor, ports: PortsSpec | null): TcpSpec {
  const { flags, ace } = parseFlags(cursor);
  const seq = parseSeq(cursor);
  const ack = cursor.word('ack') ? cursor.integer('an acknowledgment number') : null;
  const window = cursor.word('win') ? cursor.integer('a window', 0xffff) : null;
  const urgent = cursor.word('urg') ? cursor.integer('an urgent pointer', 0xffff) : null;
  return { kind: 'tcp', ports, flags, ace, ...seq, ack, window, urgent, options: parseOptions(cursor) };
}

function parseFlags(cursor: Cursor): { flags: string; ace: number | null } {
  const start = cursor.offset;
  const expected = "TCP's flags (letters of FSRPEWUA, '.' for ACK, '-' for none), 'udp', 'icmp' or 'icmpv6'";
  const text = cursor.take(FLAGS) ?? cursor.fail(expected);
  const digits = text.replace(/[^0-7]/g, '');
  const letters = text.replace(/[-0-7]/g, '');
  const isTwice = new Set(letters).size < letters.length || digits.length > 1 || (digits !== '' && /[EWA]/.test(letters));
  if (isTwice || text === digits) {
    cursor.back(start);
    cursor.fail(`${expected}, each once`);
  }
  const flags = [...FLAG_BITS.keys()].filter((flag) => letters.includes(flag)).join('');
  return { flags, ace: digits === '' ? null : Number(digits) };
}

function parseOptions(cursor: Cursor): TcpOptionSpec[] | null {
  if (!cursor.sign('<')) return [];
  if (cursor.sign('...')) {
    cursor.expect('>');
    return null;
  }
  const options: TcpOptionSpec[] = [];
  if (cursor.sign('>')) return options;
  for (;;) {
    options.push(parseOption(cursor));
    if (cursor.sign('>')) return options;
    cursor.expect(',', "',' or '>'");
  }
}

function parseOption(cursor: Cursor): TcpOptionSpec {
  const expected = 'a TCP option: nop, eol, mss, wscale, sackOK, sack, TS, FO, FOEXP, md5, ECN';
  const start = cursor.offset;
  const name = cursor.name(expected);
  switch (name) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind: name };
    case 'mss':
      return { kind: name, value: cursor.integer('a segment size', 0xffff) };
    case 'wscale':
      return { kind: name, value: cursor.integer('a shift', 0xff) };
    case 'sack':
      return { kind: name, blocks: parseBlocks(cursor) };
    case 'TS':
      return parseTimestamps(cursor);
    case 'FO':
    case 'FOEXP':
      return { kind: name, cookie: cursor.take(HEX) ?? '' };
    case 'md5':
      return { kind: name, digest: cursor.take(HEX) ?? cursor.fail('a digest of hexadecimal digits') };
    case 'ECN':
      return { kind: name, counters: parseCounters(cursor) };
    default:
      cursor.back(start);
      return cursor.fail(
        /^(?:mp_|dss|add_addr|remove_addr|trunc_)/.test(name) ? `${expected}; MPTCP's are not known to this runner` : expected,
      );
  }
}

function parseBlocks(cursor: Cursor): (readonly [number, number])[] {
  const blocks: (readonly [number, number])[] = [];
  for (let count = 0; count < 4; count++) {
    if (count > 0 && !startsWithDigit(cursor)) break;
    const left = cursor.integer('the left edge of a block');
    cursor.expect(':');
    blocks.push([left, cursor.integer('the right edge of a block')]);
  }
  return blocks;
}

function startsWithDigit(cursor: Cursor): boolean {
  cursor.skip();
  return /\d/.test(cursor.text.charAt(cursor.offset));
}

function parseTimestamps(cursor: Cursor): TcpOptionSpec {
  if (!cursor.word('val')) cursor.fail("'val'");
  const value = cursor.integer('a time stamp');
  if (!cursor.word('ecr')) cursor.fail("'ecr'");
  return { kind: 'TS', value, echo: cursor.integer('an echoed time stamp') };
}

/** Of AccECN's option, in their order on the wire (RFC 9768 §3.2.3). */
function parseCounters(cursor: Cursor): (readonly [string, number])[] {
  const counters: (readonly [string, number])[] = [];
  for (;;) {
    const name = COUNTERS.find((each) => !counters.some(([seen]) => seen === each) && cursor.word(each));
    if (name === undefined) break;
    counters.push([name, cursor.integer('a number of bytes', 0xffffff)]);
  }
  if (counters.length === 0) cursor.fail('e0b, ceb or e1b');
  return counters;
}
