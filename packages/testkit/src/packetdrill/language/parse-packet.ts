import type { Cursor } from './cursor.ts';
import type { EcnName, IpSpec, MplsLabel, OuterHeader, PacketSpec, PortsSpec, UpperSpec } from './packet-spec.ts';
import { ECN_NAMES } from './packet-spec.ts';
import { parseIcmp } from './parse-icmp.ts';
import { parseTcp } from './parse-tcp.ts';

const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}/;
/** The colon behind it is not its own. */
const IPV6 = /[0-9a-fA-F:.]*(?:[0-9a-fA-F]|(?<!:)::)(?=:?(?:\s|$))/;
/** Protocols that kin of this language have a notation for. */
const OTHERS: readonly string[] = ['sctp', 'dccp', 'mptcp', 'udplite'];
const IP_FIELDS = "'ecn', one of noecn, ect0, ect1, ect01, ce, 'tos', 'ttl', 'hlim', 'flowlabel' or 'frags'";

/** Behind the direction. @throws ScriptSyntaxError */
export function parsePacket(cursor: Cursor, direction: 'in' | 'out'): PacketSpec {
  const outer: OuterHeader[] = [];
  for (let header = parseOuter(cursor); header !== null; header = parseOuter(cursor)) outer.push(header);
  const ip = parseIp(cursor);
  return { direction, outer, ip, upper: parseUpper(cursor) };
}

function parseUpper(cursor: Cursor): UpperSpec {
  const ports = parsePorts(cursor);
  if (ports === null && cursor.word('icmp')) return parseIcmp(cursor, 4);
  if (ports === null && cursor.word('icmpv6')) return parseIcmp(cursor, 6);
  const word = cursor.peekWord();
  if (OTHERS.includes(word.toLowerCase())) cursor.fail(`a packet of TCP, UDP or ICMP: ${word} is not known to this runner`);
  if (!cursor.word('udp')) return parseTcp(cursor, ports);
  cursor.expect('(');
  const lenBytes = cursor.integer('a number of bytes', 65_527);
  cursor.expect(')');
  return { kind: 'udp', ports, lenBytes };
}

/** `5000 > 6000`: where several flows are about. */
function parsePorts(cursor: Cursor): PortsSpec | null {
  const start = cursor.offset;
  const src = cursor.take(/\d+/);
  if (src === null || !cursor.sign('>')) {
    cursor.back(start);
    return null;
  }
  cursor.back(start);
  const from = cursor.integer('a port', 0xffff);
  cursor.expect('>');
  return { src: from, dst: cursor.integer('a port', 0xffff) };
}

function parseIp(cursor: Cursor): IpSpec {
  const ip: { -readonly [field in keyof IpSpec]: IpSpec[field] } = { ecn: null, tos: null, ttl: null, flowLabel: null, frags: null };
  const close = cursor.sign('[') ? ']' : cursor.sign('(') ? ')' : '';
  if (close === '') return ip;
  do {
    parseIpField(cursor, ip);
    cursor.sign(',');
  } while (!cursor.sign(close));
  return ip;
}

function parseIpField(cursor: Cursor, ip: { -readonly [field in keyof IpSpec]: IpSpec[field] }): void {
  const word = cursor.peekWord();
  if (word === 'ecn') {
    cursor.word('ecn');
    if (!isEcn(cursor.peekWord())) cursor.fail(ECN_NAMES.join(', '));
  }
  const name = cursor.peekWord();
  if (isEcn(name) && ip.ecn === null) ip.ecn = cursor.name('') as EcnName;
  else if (ip.tos === null && cursor.word('tos')) ip.tos = cursor.integer('a type of service', 0xff);
  else if (ip.ttl === null && (cursor.word('ttl') || cursor.word('hlim'))) ip.ttl = cursor.integer('a hop limit', 0xff);
  else if (ip.flowLabel === null && cursor.word('flowlabel')) ip.flowLabel = cursor.integer('a flow label', 0xfffff);
  else if (ip.frags === null && cursor.word('frags')) ip.frags = cursor.integer('a number of fragments', 0xff);
  else cursor.fail(`${IP_FIELDS}, each once`);
}

function isEcn(name: string): boolean {
  return (ECN_NAMES as readonly string[]).includes(name);
}

function parseOuter(cursor: Cursor): OuterHeader | null {
  const start = cursor.offset;
  const header = parseOuterFields(cursor);
  if (header === null) {
    cursor.back(start);
    return null;
  }
  cursor.expect(':');
  return header;
}

function parseOuterFields(cursor: Cursor): OuterHeader | null {
  if (cursor.word('ipv4')) return parseAddresses(cursor, 'ipv4', IPV4);
  if (cursor.word('ipv6')) return parseAddresses(cursor, 'ipv6', IPV6);
  if (cursor.word('gre')) return parseGre(cursor);
  if (cursor.word('mpls')) return { kind: 'mpls', stack: parseLabels(cursor) };
  return null;
}

function parseAddresses(cursor: Cursor, kind: 'ipv4' | 'ipv6', address: RegExp): OuterHeader {
  const expected = `an ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} address`;
  const src = cursor.take(address) ?? cursor.fail(expected);
  cursor.expect('>');
  return { kind, src, dst: cursor.take(address) ?? cursor.fail(expected) };
}

/** `gre`, or `gre flags 0x2000, proto 0x800, key 7`. */
function parseGre(cursor: Cursor): OuterHeader {
  const fields: Record<'flags' | 'proto' | 'key', number | null> = { flags: null, proto: null, key: null };
  for (;;) {
    const name = (['flags', 'proto', 'key'] as const).find((each) => fields[each] === null && cursor.word(each));
    if (name === undefined) break;
    fields[name] = cursor.integer(`the ${name}`, name === 'key' ? 0xffffffff : 0xffff);
    cursor.sign(',');
  }
  return { kind: 'gre', flags: fields.flags ?? 0, protocol: fields.proto ?? 0x800, key: fields.key };
}

/** `(label 1, tc 0, [S], ttl 64)`, several. */
function parseLabels(cursor: Cursor): MplsLabel[] {
  const stack: MplsLabel[] = [];
  while (cursor.sign('(')) {
    if (!cursor.word('label')) cursor.fail("'label'");
    const label = cursor.integer('a label', 0xfffff);
    cursor.expect(',');
    if (!cursor.word('tc')) cursor.fail("'tc'");
    const tc = cursor.integer('a traffic class', 7);
    cursor.expect(',');
    const bottom = cursor.sign('[');
    if (bottom) {
      cursor.expect('S');
      cursor.expect(']');
      cursor.expect(',');
    }
    if (!cursor.word('ttl')) cursor.fail("'ttl'");
    stack.push({ label, tc, bottom, ttl: cursor.integer('a TTL', 0xff) });
    cursor.expect(')');
    cursor.sign(',');
  }
  return stack.length > 0 ? stack : cursor.fail("'(' of a label");
}
