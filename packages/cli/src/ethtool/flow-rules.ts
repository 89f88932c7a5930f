import type { FlowKey, NetDevice } from '@softnet/contract';
import { ADDRESS_FAMILY, FlowRule, IP_PROTOCOL } from '@softnet/contract';
import { formatAddress, parseAddress } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { EthtoolAct } from './ethtool-act.ts';
import { noWords, numberOf, readPairs } from './ethtool-act.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

/** By the words of `flow-type`. */
const FLOW_TYPES: ReadonlyMap<string, readonly [title: string, protocol: number, family: number]> = new Map([
  ['tcp4', ['TCP over IPv4', IP_PROTOCOL.TCP, INET]],
  ['udp4', ['UDP over IPv4', IP_PROTOCOL.UDP, INET]],
  ['sctp4', ['SCTP over IPv4', IP_PROTOCOL.SCTP, INET]],
  ['tcp6', ['TCP over IPv6', IP_PROTOCOL.TCP, INET6]],
  ['udp6', ['UDP over IPv6', IP_PROTOCOL.UDP, INET6]],
  ['sctp6', ['SCTP over IPv6', IP_PROTOCOL.SCTP, INET6]],
]);

const NAMES = Object.freeze(['flow-type', 'src-ip', 'dst-ip', 'src-port', 'dst-port', 'action', 'loc'] as const);
const EXACT = 'rules match exact flows';

export const showRules: EthtoolAct = Object.freeze({
  flag: '-n',
  text: 'flow rules: exact flows that go to queues of their own, or nowhere',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    const { rxQueues, flowRules } = device;
    print(`${rxQueues.length} RX rings available`);
    print(`Total ${flowRules.length} rules`);
    for (const rule of flowRules) for (const line of ruleLines(rule)) print(line);
  },
} satisfies EthtoolAct);

export const changeRules: EthtoolAct = Object.freeze({
  flag: '-N',
  text: 'add a rule (action -1, or drop: such packets are dropped; without loc: at the first place that is free), or delete one',
  usage: `flow-type ${[...FLOW_TYPES.keys()].join('|')} src-ip A dst-ip A src-port N dst-port N action QUEUE [loc N] | delete N`,
  run({ device, ethtool, words, print }) {
    if (words[0] !== 'delete') {
      const rule = ruleOf(device, words);
      ethtool.addFlowRule(device, rule);
      print(`Added rule with ID ${rule.location}`);
      return;
    }
    const location = numberOf(readPairs(words, ['delete']), 'delete')!;
    ethtool.removeFlowRule(device, location);
  },
} satisfies EthtoolAct);

function ruleOf(device: NetDevice, words: readonly string[]): FlowRule {
  const pairs = readPairs(words, NAMES);
  const type = FLOW_TYPES.get(pairs.get('flow-type') ?? '');
  if (type === undefined)
    throw new UsageError(`flow-type takes ${[...FLOW_TYPES.keys()].join(', ')}, got '${pairs.get('flow-type') ?? ''}'`);
  const missing = NAMES.find((name) => name !== 'loc' && !pairs.has(name));
  if (missing !== undefined) throw new UsageError(`${missing} is missing: ${EXACT}`);
  const [, protocol, family] = type;
  const rule = new FlowRule();
  rule.location = numberOf(pairs, 'loc') ?? firstFree(device.flowRules);
  rule.queue = queueOf(pairs);
  const { key } = rule;
  key.protocol = protocol;
  [key.remote0, key.remote1, key.remote2, key.remote3] = wordsOf(pairs, 'src-ip', family);
  [key.local0, key.local1, key.local2, key.local3] = wordsOf(pairs, 'dst-ip', family);
  key.remotePort = numberOf(pairs, 'src-port')!;
  key.localPort = numberOf(pairs, 'dst-port')!;
  return rule;
}

function queueOf(pairs: ReadonlyMap<string, string>): number {
  const word = pairs.get('action')!;
  return word === '-1' || word === 'drop' ? -1 : numberOf(pairs, 'action')!;
}

function wordsOf(pairs: ReadonlyMap<string, string>, name: string, family: number): readonly [number, number, number, number] {
  const word = pairs.get(name)!;
  const parsed = parseAddress(word);
  if (parsed !== null && parsed.family === family) return parsed.words;
  throw new UsageError(`${name} takes an address of IPv${family === INET ? 4 : 6}, got '${word}'`);
}

function firstFree(rules: readonly FlowRule[]): number {
  let location = 0;
  while (rules.some((rule) => rule.location === location)) location++;
  return location;
}

/** As ethtool writes them, masks included: all bits count. */
function ruleLines({ location, key, queue, automatic }: FlowRule): string[] {
  const family = isIpv4(key) ? INET : INET6;
  const type = [...FLOW_TYPES.values()].find(([, protocol, its]) => protocol === key.protocol && its === family);
  const mask = family === INET ? '0.0.0.0' : '::';
  const title = type?.[0] ?? `protocol ${key.protocol} over IPv${family === INET ? 4 : 6}`;
  return [
    '',
    `Filter: ${location}${automatic ? ' (made by itself: where the flow is read)' : ''}`,
    `\tRule Type: ${title}`,
    `\tSrc IP addr: ${formatAddress(family, key.remote0, key.remote1, key.remote2, key.remote3)} mask: ${mask}`,
    `\tDest IP addr: ${formatAddress(family, key.local0, key.local1, key.local2, key.local3)} mask: ${mask}`,
    `\tSrc port: ${key.remotePort} mask: 0x0`,
    `\tDest port: ${key.localPort} mask: 0x0`,
    `\tAction: ${queue < 0 ? 'Drop' : `Direct to queue ${queue}`}`,
  ];
}

/** RFC 4291 §2.5.5.2. */
function isIpv4({ local0, local1, local2 }: FlowKey): boolean {
  return local0 === 0 && local1 === 0 && local2 === 0xffff;
}
