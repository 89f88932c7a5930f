import { ADDRESS_FAMILY } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { ipAddr } from '../ip/ip-addr.ts';
import { ipAddrlabel } from '../ip/ip-addrlabel.ts';
import { ipLink } from '../ip/ip-link.ts';
import { ipMaddr } from '../ip/ip-maddr.ts';
import { ipNeigh } from '../ip/ip-neigh.ts';
import { ipNexthop } from '../ip/ip-nexthop.ts';
import type { IpObject } from '../ip/ip-object.ts';
import { byBeginning } from '../ip/ip-object.ts';
import { ipRoute } from '../ip/ip-route.ts';
import { ipRule } from '../ip/ip-rule.ts';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { UsageError } from '../usage-error.ts';

/** In the order in which a beginning is matched. */
const OBJECTS: readonly IpObject[] = Object.freeze([ipAddr, ipLink, ipRoute, ipNeigh, ipRule, ipNexthop, ipMaddr, ipAddrlabel]);
const SHORT = Object.freeze(['addr', 'link', 'route', 'neigh', 'rule', 'nexthop', 'maddr', 'addrlabel'] as const);

export const ip: SessionCommand = Object.freeze({
  name: 'ip',
  parameters: '<object> [words...]',
  options: [
    ['-4', 'IPv4 only'],
    ['-6', 'IPv6 only; without it `ip route` shows IPv4'],
    ['-s', 'with statistics of devices'],
    ['--brief', '-br: each device in one line'],
  ],
  spellings: { '-statistics': '-s', '-stats': '-s', '-br': '--brief', '-brief': '--brief' },
  summary:
    "show and change addresses, devices, routes, neighbours, rules, next hops, groups, labels of IPv6 addresses, in iproute2's words: ip addr, ip link, ip route, ip neigh, ip rule, ip nexthop, ip maddr, ip addrlabel",
  details: [...OBJECTS.flatMap(usageLines), 'Words may be cut short: ip a, ip -6 r, ip n.'],
  completes: completions,
  async run(session, given) {
    const [word = '', ...rest] = given.words;
    if (word === 'help') return printUsage(session, OBJECTS);
    const object = objectOf(word);
    if (rest[0] === 'help') return printUsage(session, [object]);
    const verb = rest[0] === undefined ? 'show' : byBeginning(Object.keys(object.verbs), rest[0]);
    // `ip addr dev eth0` is `ip addr show dev eth0`.
    const words = verb === undefined ? rest : rest.slice(1);
    const run = object.verbs[verb ?? 'show']!;
    if (verb === undefined && !isQuestion(session, rest)) {
      throw new UsageError(`ip ${word} does not take '${rest[0]}'. Usage: ${usageLines(object).join('; ')}`);
    }
    const print = (line: string): void => session.output.print(line);
    const { s, brief } = given.options;
    await run({ host: new NetHost(session.kernel), family: familyOf(given), statistics: s === true, brief: brief === true, words, print });
  },
} satisfies SessionCommand);

function usageLines({ usage }: IpObject): string[] {
  return usage.map((line) => `ip ${line}`);
}

/** `ip help`, `ip link help`. */
function printUsage({ output }: Session, objects: readonly IpObject[]): void {
  for (const line of objects.flatMap(usageLines)) output.print(line);
}

function objectOf(word: string): IpObject {
  const name = byBeginning(
    OBJECTS.flatMap(({ names }) => names),
    word,
  );
  const found = OBJECTS.find(({ names }) => names.includes(name ?? ''));
  if (found === undefined) throw new UsageError(`ip knows ${SHORT.join(', ')}, not '${word}': 'help ip' says more`);
  return found;
}

/** What may follow an object without a verb. */
function isQuestion({ kernel }: Session, [word = '']: readonly string[]): boolean {
  return word === 'dev' || word === 'table' || new NetHost(kernel).devices.some(({ name }) => name === word);
}

function familyOf({ options }: Given): number | undefined {
  if (options['6'] === true) return ADDRESS_FAMILY.INET6;
  return options['4'] === true ? ADDRESS_FAMILY.INET : undefined;
}

function completions({ kernel }: Session, index: number, _end: string, before: readonly string[]): readonly string[] {
  if (index === 0) return SHORT.map((name) => `${name} `);
  const names = new NetHost(kernel).devices.map(({ name }) => name);
  if (index === 1) return [...Object.keys(objectOf(before[0] ?? '').verbs).map((verb) => `${verb} `), ...names];
  return ['dev ', 'via ', ...names];
}
