import { ADDRESS_FAMILY, NetError, Route, RoutingRules } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed } from './ip-object.ts';
import { MAIN, readRule } from './read-rule.ts';
import { tableOf } from './route-words.ts';
import { ruleLine } from './rule-line.ts';

const CONDITIONS = '[not] [from PREFIX] [to PREFIX] [iif DEVICE] [oif DEVICE] [fwmark N[/MASK]] [tos N] [ipproto P]';
const MORE = '[sport N[-N]] [dport N[-N]] [uidrange N-N] [suppress_prefixlength N] [realms N/N] [priority N]';

/** `ip rule`: which table a packet is looked up in. */
export const ipRule: IpObject = Object.freeze({
  names: ['rule'],
  usage: [
    'rule [show] [table NAME|N]',
    `rule add ${CONDITIONS} ${MORE} lookup TABLE | goto N | nop | blackhole | unreachable | prohibit`,
    'rule del WORDS: what is said must fit; the first such rule goes',
    'rule flush [table NAME|N]: all but those of priority 0',
  ],
  verbs: { show, list: show, add, delete: remove, flush },
} satisfies IpObject);

function show({ host, family = ADDRESS_FAMILY.INET, words, print }: IpRequest): void {
  const table = tableIn(words);
  const rules = host.kernel.port(Route).current.rules(family);
  const look = {
    hasDevice: (name: string) => host.devices.some((device) => device.name === name),
    hasPriority: (priority: number) => rules.some((rule) => rule.priority === priority),
  };
  for (const rule of rules) if (table === undefined || rule.table === table) print(ruleLine(rule, look));
}

/** Without a priority it stands before the first that was made so; without an action it asks main. As Linux has it. */
function add(request: IpRequest): void {
  const { host } = request;
  const rule = readRule(request);
  if (request.words.length === 0) throw new UsageError('what is the rule? Say from PREFIX, fwmark N ... and lookup TABLE');
  const { family } = rule;
  const second = host.kernel.port(Route).current.rules(family)[1];
  const priority = rule.priority >= 0 ? rule.priority : Math.max((second?.priority ?? 1) - 1, 0);
  host.kernel.port(RoutingRules).current.add({ ...rule, priority, ...(rule.action === 0 ? MAIN : {}) });
}

function remove(request: IpRequest): void {
  if (request.words.length === 0) throw new UsageError('which rule? Say its priority, or what it asks for');
  try {
    request.host.kernel.port(RoutingRules).current.remove({ ...readRule(request), source: 0 });
  } catch (error) {
    if (!(error instanceof NetError) || error.code !== 'ENOENT') throw error;
    throw new NetError('ENOENT', "there is no such rule: 'ip rule' lists those that there are");
  }
}

/** Priority 0 stays, as with iproute2: without the table 'local' no address is this host's. */
function flush({ host, family = ADDRESS_FAMILY.INET, words }: IpRequest): void {
  const table = tableIn(words);
  const rules = host.kernel.port(Route).current.rules(family);
  const { current: door } = host.kernel.port(RoutingRules);
  for (const rule of rules) if (rule.priority !== 0 && (table === undefined || rule.table === table)) door.remove(rule);
}

function tableIn(words: readonly string[]): number | undefined {
  const { by } = readKeyed(words, ['table', 'lookup'], 0);
  const text = by.table ?? by.lookup;
  return text === undefined ? undefined : tableOf(text);
}
