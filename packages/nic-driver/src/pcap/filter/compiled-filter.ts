import { ADDRESS_FAMILY, ETHERTYPE, IP_PROTOCOL, IPV4_WORD2, NetError } from '@softnet/contract';
import { addressBits, parseMac, parsePrefix } from '@softnet/wire';
import type { PacketFacts } from './packet-facts.ts';
import type { FilterProtocol, FilterSide, PacketFilter } from './packet-filter.ts';
import { parseFilter } from './parse-filter.ts';

const OP = Object.freeze({
  AND: 0,
  OR: 1,
  NOT: 2,
  ETHERTYPE: 3,
  PROTOCOL: 4,
  NET: 5,
  PORT: 6,
  ETHER: 7,
  VLAN: 8,
  MIN: 9,
  MAX: 10,
  DROPPED: 11,
});
const SIDE = Object.freeze({ SRC: 1, DST: 2, EITHER: 3 });
/** Tests within tests that typed filters may have. What {@link parseFilter} makes has fewer. */
const MAX_DEPTH = 2048;

/** One test, ready to be done: all of one shape. */
class Step {
  readonly op: number;
  /** Bits of SIDE. */
  side = SIDE.EITHER as number;
  /** Number that is asked for; of a net, its family; of VLANs, -1 is any. */
  value = 0;
  /** Of a net: four words and their masks; of a link address: three words. */
  readonly words: Int32Array = new Int32Array(4);
  readonly masks: Int32Array = new Int32Array(4);
  parts: readonly Step[] = [];

  constructor(op: number) {
    this.op = op;
  }
}

/** A filter that looks at packets: allocates nothing, and runs no code that was made of text. */
export class CompiledFilter {
  readonly #step: Step;

  /** @param filter text as {@link parseFilter} takes it, or its tree. @throws NetError EINVAL, saying what of it. */
  constructor(filter: string | PacketFilter) {
    this.#step = compile(typeof filter === 'string' ? parseFilter(filter) : filter, 0);
  }

  matches(facts: PacketFacts): boolean {
    return holds(this.#step, facts);
  }
}

function holds(step: Step, facts: PacketFacts): boolean {
  const { value } = step;
  switch (step.op) {
    case OP.AND:
      for (let i = 0; i < step.parts.length; i++) if (!holds(step.parts[i]!, facts)) return false;
      return true;
    case OP.OR:
      for (let i = 0; i < step.parts.length; i++) if (holds(step.parts[i]!, facts)) return true;
      return false;
    case OP.NOT:
      return !holds(step.parts[0]!, facts);
    case OP.ETHERTYPE:
      return facts.ethertype === value;
    case OP.PROTOCOL:
      return facts.protocol === value;
    case OP.NET:
      return facts.family === value && (isIn(step, SIDE.SRC, facts, 0) || isIn(step, SIDE.DST, facts, 4));
    case OP.PORT:
      return ((step.side & SIDE.SRC) !== 0 && facts.srcPort === value) || ((step.side & SIDE.DST) !== 0 && facts.dstPort === value);
    case OP.ETHER:
      return facts.hasMac && (isOf(step, SIDE.DST, facts, 0) || isOf(step, SIDE.SRC, facts, 3));
    case OP.VLAN:
      return value < 0 ? facts.vlan >= 0 : facts.vlan === value;
    case OP.MIN:
      return facts.lenBytes >= value;
    case OP.MAX:
      return facts.lenBytes <= value;
    default:
      return facts.dropped;
  }
}

/** Is the address at `at` in the net, if that side is asked for? */
function isIn({ side, words, masks }: Step, wanted: number, { addresses }: PacketFacts, at: number): boolean {
  if ((side & wanted) === 0) return false;
  for (let i = 0; i < 4; i++) if (((addresses[at + i]! ^ words[i]!) & masks[i]!) !== 0) return false;
  return true;
}

function isOf({ side, words }: Step, wanted: number, { mac }: PacketFacts, at: number): boolean {
  return (side & wanted) !== 0 && mac[at] === words[0] && mac[at + 1] === words[1] && mac[at + 2] === words[2];
}

function compile(filter: PacketFilter, depth: number): Step {
  if (typeof filter !== 'object' || filter === null)
    throw refusal(`a test is text or an object like { proto: 'udp' }, got ${String(filter)}`);
  if (depth > MAX_DEPTH) throw refusal(`it has more than ${MAX_DEPTH} tests within one another`);
  if ('and' in filter) return all(OP.AND, filter.and, depth);
  if ('or' in filter) return all(OP.OR, filter.or, depth);
  if ('not' in filter) return all(OP.NOT, [filter.not], depth);
  if ('proto' in filter) return ofProtocol(filter.proto);
  if ('net' in filter) return sided(ofNet(filter.net), filter.side);
  if ('port' in filter) return sided(ofNumber(OP.PORT, filter.port, 'port', 65_535), filter.side);
  if ('ether' in filter) return sided(ofEther(filter.ether), filter.side);
  if ('vlan' in filter) return filter.vlan === 'any' ? ofValue(OP.VLAN, -1) : ofNumber(OP.VLAN, filter.vlan, 'vlan', 4095);
  if ('minBytes' in filter) return ofNumber(OP.MIN, filter.minBytes, 'minBytes', Number.MAX_SAFE_INTEGER);
  if ('maxBytes' in filter) return ofNumber(OP.MAX, filter.maxBytes, 'maxBytes', Number.MAX_SAFE_INTEGER);
  if ('dropped' in filter) return new Step(OP.DROPPED);
  throw refusal(
    `a test has one of and, or, not, proto, net, port, ether, vlan, minBytes, maxBytes, dropped; got ${Object.keys(filter).join(', ') || '{}'}`,
  );
}

function all(op: number, parts: readonly PacketFilter[], depth: number): Step {
  if (!Array.isArray(parts)) throw refusal('and and or take an array of tests');
  const step = new Step(op);
  step.parts = parts.map((part) => compile(part, depth + 1));
  return step;
}

function ofProtocol(proto: FilterProtocol): Step {
  switch (proto) {
    case 'ip':
      return ofValue(OP.ETHERTYPE, ETHERTYPE.IPV4);
    case 'ip6':
      return ofValue(OP.ETHERTYPE, ETHERTYPE.IPV6);
    case 'arp':
      return ofValue(OP.ETHERTYPE, ETHERTYPE.ARP);
    case 'udp':
      return ofValue(OP.PROTOCOL, IP_PROTOCOL.UDP);
    case 'tcp':
      return ofValue(OP.PROTOCOL, IP_PROTOCOL.TCP);
    case 'icmp':
      return ofIcmp(ETHERTYPE.IPV4, IP_PROTOCOL.ICMP);
    case 'icmp6':
      return ofIcmp(ETHERTYPE.IPV6, IP_PROTOCOL.ICMPV6);
    default:
      throw refusal(`proto takes ip, ip6, arp, udp, tcp, icmp or icmp6, got ${String(proto)}`);
  }
}

/** Each family has its own: the other's number means something else there. */
function ofIcmp(ethertype: number, protocol: number): Step {
  const step = new Step(OP.AND);
  step.parts = [ofValue(OP.ETHERTYPE, ethertype), ofValue(OP.PROTOCOL, protocol)];
  return step;
}

function ofNet(text: string): Step {
  const prefix = typeof text === 'string' ? parsePrefix(text) : null;
  if (prefix === null) throw refusal(`net takes an address or a prefix like '10.0.0.0/8' or 'fd00::1', got ${String(text)}`);
  const { family, words, prefixLen } = prefix;
  const step = ofValue(OP.NET, family);
  step.words.set(words);
  // The unspecified address has other words in a flow.
  if (family === ADDRESS_FAMILY.INET) step.words[2] = IPV4_WORD2;
  const bits = prefixLen + 128 - addressBits(family);
  step.masks.set([0, 32, 64, 96].map((before) => (bits >= before + 32 ? -1 : bits <= before ? 0 : -1 << (before + 32 - bits))));
  return step;
}

function ofEther(text: string): Step {
  const mac = typeof text === 'string' ? parseMac(text) : null;
  if (mac === null) throw refusal(`ether takes a link address like '02:00:00:00:00:01', got ${String(text)}`);
  const step = new Step(OP.ETHER);
  step.words.set([0, 2, 4].map((at) => (mac[at]! << 8) | mac[at + 1]!));
  return step;
}

function ofNumber(op: number, value: number, name: string, most: number): Step {
  if (!Number.isInteger(value) || value > most || value < 0) {
    throw refusal(`${name} takes a whole number, 0 to ${most}, got ${String(value)}`);
  }
  return ofValue(op, value);
}

function ofValue(op: number, value: number): Step {
  const step = new Step(op);
  step.value = value;
  return step;
}

function sided(step: Step, side: FilterSide | undefined): Step {
  if (side === 'src') step.side = SIDE.SRC;
  else if (side === 'dst') step.side = SIDE.DST;
  else if (side !== undefined) throw refusal(`side takes src or dst, got ${String(side)}`);
  return step;
}

function refusal(sentence: string): NetError {
  return new NetError('EINVAL', `filter: ${sentence}`);
}
