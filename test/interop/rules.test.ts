import type { Flow, RouteEntry, RoutingRule } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IP_PROTOCOL, NetError, NextHops, ROUTE_TYPE, RoutingRules, RULE_ACTION } from '@softnet/contract';
import { LoopbackModule } from '@softnet/nic-driver';
import { formatIpv4, ipv4Words, parseIpv4, parsePrefix } from '@softnet/wire';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootRoute, flowTo } from '../stack/route/route-host.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';

const { INET } = ADDRESS_FAMILY;
const ROUNDS = 8;
const FLOWS = 24;
/** Ours, of eth0 and eth1, as sources. */
const SOURCES = ['10.1.0.9', '10.2.0.9'] as const;
const ERRORS: Readonly<Record<string, string>> = {
  'Network is unreachable': 'ENETUNREACH',
  'No route to host': 'EHOSTUNREACH',
  'Permission denied': 'EACCES',
  'Invalid argument': 'EINVAL',
};

interface Words<T> {
  readonly words: string;
  readonly value: T;
}

/** Now and then something chosen among values. */
function maybe<T>(name: string, values: readonly T[], field: (value: T) => object): fc.Arbitrary<Words<object>> {
  const absent: Words<object> = { words: '', value: {} };
  return fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...values)).map(([draw, value]) => {
    return draw > 0 ? absent : { words: `${name} ${value}`, value: field(value) };
  });
}

/** One of several, each of its own freedom. */
function all(...parts: fc.Arbitrary<Words<object>>[]): fc.Arbitrary<Words<object>> {
  return fc.tuple(...parts).map((chosen) => ({
    words: chosen
      .map(({ words }) => words)
      .filter(Boolean)
      .join(' '),
    value: Object.assign({}, ...chosen.map(({ value }) => value)) as object,
  }));
}

function prefix(text: string) {
  const { words, prefixLen } = parsePrefix(text)!;
  return { address: words, prefixLen };
}

const TABLES = [101, 102, 103];
const NEXT_HOPS = ['id 1 via 10.1.0.2 dev eth0', 'id 2 dev eth1', 'id 3 blackhole', 'id 4 group 1'].map((text) => `ip nexthop add ${text}`);

const rules = all(
  maybe('not', [''], () => ({ not: true })),
  maybe('from', SOURCES, (text) => ({ from: prefix(text) })),
  maybe('to', ['20.0.0.0/8', '20.1.0.0/16', '20.1.1.0/24'], (text) => ({ to: prefix(text) })),
  maybe('fwmark', ['1', '2', '0/1', '3/2'], (text) => {
    const [mark, mask] = text.split('/').map(Number) as [number, number?];
    return { mark, ...(mask === undefined ? {} : { markMask: mask }) };
  }),
  maybe('tos', ['0x10', '0x08'], (text) => ({ tos: Number(text) })),
  maybe('ipproto', ['udp', 'tcp'], (name) => ({ ipProtocol: name === 'udp' ? IP_PROTOCOL.UDP : IP_PROTOCOL.TCP })),
  maybe('dport', ['53', '50-60'], (text) => {
    const [first, last = first] = text.split('-').map(Number) as [number, number?];
    return { dstPorts: { first, last } };
  }),
  maybe('iif', ['lo', 'eth0', 'eth7'], (iif) => ({ iif })),
);

/** Most ask a table. */
const actions: fc.Arbitrary<Words<object>> = fc.oneof(
  {
    weight: 6,
    arbitrary: all(
      fc.constantFrom(...TABLES).map((table) => ({ words: `lookup ${table}`, value: { action: RULE_ACTION.TABLE, table } })),
      maybe('suppress_prefixlength', [0, 8, 16], (suppressPrefixLen) => ({ suppressPrefixLen })),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(30, 50).map((goto) => ({ words: `goto ${goto}`, value: { action: RULE_ACTION.GOTO, goto } })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('nop', 'prohibit', 'unreachable', 'blackhole').map((words) => ({
      words,
      value: { action: RULE_ACTION[words.toUpperCase() as 'NOP'] },
    })),
  },
);

const ways: readonly Words<Partial<RouteEntry>>[] = [
  ...['eth0', 'eth1'].map((dev, index) => ({
    words: `dev ${dev}`,
    value: { type: ROUTE_TYPE.UNICAST, nextHops: [{ ifindex: index + 1 }] },
  })),
  ...['10.1.0.1', '10.2.0.1'].map((via, index) => ({
    words: `via ${via} dev eth${index}`,
    value: { type: ROUTE_TYPE.UNICAST, nextHops: [{ ifindex: index + 1, gateway: { family: INET, address: wordsOf(via) } }] },
  })),
  ...[1, 2, 3, 4].map((nextHopId) => ({ words: `nhid ${nextHopId}`, value: { type: ROUTE_TYPE.UNICAST, nextHops: [], nextHopId } })),
  ...['unreachable', 'prohibit', 'blackhole', 'throw'].map((type) => ({
    words: type,
    value: { type: ROUTE_TYPE[type.toUpperCase() as 'THROW'], nextHops: [] },
  })),
];

const routes = fc.record({
  table: fc.constantFrom(...TABLES, 254),
  to: fc.constantFrom('0.0.0.0/0', '20.0.0.0/8', '20.1.0.0/16', '20.1.1.0/24', '20.1.1.1/32'),
  tos: fc.constantFrom(0, 0, 0x10),
  metric: fc.constantFrom(0, 0, 5),
  way: fc.constantFrom(...ways),
});

const flows = fc.record({
  to: fc.constantFrom('20.1.1.1', '20.1.1.2', '20.1.2.1', '20.2.0.1', '30.0.0.1', '10.1.0.7', SOURCES[0]),
  from: fc.constantFrom(undefined, ...SOURCES),
  mark: fc.constantFrom(0, 1, 2, 3),
  tos: fc.constantFrom(0, 0x10, 0x08),
  udp: fc.constantFrom(undefined, 53, 55, 70),
});

function wordsOf(text: string) {
  return ipv4Words(parseIpv4(text)!);
}

describe.skipIf(skipAloud('rules and routes beside Linux', netnsSkipReason()))('rules, routes and next hops answer as Linux’s do', () => {
  let linux: Netns;

  beforeAll(async () => {
    linux = new Netns('rules');
    const lines = ['0', '1'].flatMap((n) => [
      `ip link add eth${n} type veth peer name peer${n}`,
      ...[`eth${n}`, `peer${n}`].map((name) => `ip link set ${name} up`),
      `ip addr add ${SOURCES[Number(n)]}/24 dev eth${n}`,
    ]);
    expect((await linux.exec(lines.join(' && '))).stderr).toBe('');
  });
  afterAll(() => linux?.dispose());

  /** The same on our side: addresses bring their routes, as there. */
  async function boot() {
    const ours = await bootRoute();
    await ours.run(ours.kernel.load(LoopbackModule));
    for (const [index, source] of SOURCES.entries()) {
      const common = { family: INET, source: 2, nextHops: [{ ifindex: index + 1 }] };
      ours.routes().add({ ...common, prefix: wordsOf(source), prefixLen: 32, type: ROUTE_TYPE.LOCAL, table: 255 });
      ours.routes().add({ ...common, prefix: wordsOf(source.replace('.9', '.0')), prefixLen: 24, type: ROUTE_TYPE.UNICAST });
    }
    const nextHops = ours.kernel.port(NextHops).current;
    const gateway = { family: INET, address: wordsOf('10.1.0.2') };
    nextHops.add({ id: 1, family: INET, source: 3, hop: { ifindex: 1, gateway } });
    nextHops.add({ id: 2, family: INET, source: 3, hop: { ifindex: 2 } });
    nextHops.add({ id: 3, family: INET, source: 3, blackhole: true });
    nextHops.add({ id: 4, family: 0, source: 3, group: [{ id: 1 }] });
    return ours;
  }

  type Ours = Awaited<ReturnType<typeof boot>>;
  type Asked = ReturnType<typeof flows.generate>['value'];

  function answer({ route, net }: Ours, { to, from, mark, tos, udp }: Asked): string {
    const flow: Flow = Object.assign(flowTo(parseIpv4(to)!), { mark, tos });
    if (from !== undefined) [, , flow.src2, flow.src3] = wordsOf(from);
    // What `ip route get` asks about where no protocol is said.
    flow.protocol = IP_PROTOCOL.UDP;
    if (udp !== undefined) flow.dstPort = udp;
    const { error, device, gatewayFamily, gateway3, type } = route().lookup(flow);
    if (error !== 0) return Object.entries(ERRNO).find(([, number]) => number === error)![0];
    const name = type === ROUTE_TYPE.LOCAL ? 'lo' : device!.name;
    expect(net.device.has(name) || name === 'lo').toBe(true);
    return gatewayFamily === 0 ? `dev ${name}` : `via ${formatIpv4(gateway3)} dev ${name}`;
  }

  function question({ to, from, mark, tos, udp }: Asked): string {
    const words = [`ip route get ${to}`, ...(from === undefined ? [] : [`from ${from}`]), ...(mark === 0 ? [] : [`mark ${mark}`])];
    if (tos !== 0) words.push(`tos 0x${tos.toString(16)}`);
    if (udp !== undefined) words.push(`ipproto udp sport 1000 dport ${udp}`);
    return `${words.join(' ')} 2>&1 | head -1`;
  }

  /** 'dev eth0', 'via 10.1.0.1 dev eth0', or the errno. */
  function said(line: string): string {
    const error = Object.entries(ERRORS).find(([text]) => line.includes(text));
    if (error !== undefined) return error[1];
    return /(via \S+ )?dev \S+/.exec(line)?.[0] ?? line;
  }

  const round = fc.record({
    rules: fc.array(fc.tuple(fc.constantFrom(10, 20, 30, 40, 50), rules, actions), { minLength: 1, maxLength: 7 }),
    routes: fc.array(routes, { minLength: 4, maxLength: 14 }),
    flows: fc.array(flows, { minLength: FLOWS, maxLength: FLOWS }),
  });

  test.each(fc.sample(round, { seed: 5, numRuns: ROUNDS }).map((each, index) => [index, each] as const))(
    'round %i',
    async (_index, each) => {
      const ours = await boot();
      const tidy = ['ip nexthop flush', ...[...TABLES, 'main'].map((table) => `ip route flush table ${table} proto boot`), ...NEXT_HOPS];
      const others = [10, 20, 30, 40, 50].map((priority) => `while ip rule del prio ${priority}; do :; done`);
      await linux.exec([...others, ...tidy].join('; '));
      // Routes first: with Linux, rules count when gateways are looked for.
      const script: string[] = [];
      const taken: boolean[] = [];
      for (const { table, to, tos, metric, way } of each.routes) {
        const { words: address, prefixLen } = parsePrefix(to)!;
        const entry = { family: INET, prefix: address, prefixLen, table, tos, priority: metric, source: 3, ...way.value } as RouteEntry;
        taken.push(attempt(() => ours.routes().add(entry)));
        const [type, rest] = way.value.type === ROUTE_TYPE.UNICAST ? ['', way.words] : [way.words, ''];
        script.push(`ip route add ${type} ${to} ${rest} table ${table}${tos === 0 ? '' : ` tos 0x${tos.toString(16)}`} metric ${metric}`);
      }
      for (const [priority, conditions, action] of each.rules) {
        const rule = { family: INET, priority, source: 3, ...conditions.value, ...action.value } as RoutingRule;
        taken.push(attempt(() => ours.kernel.port(RoutingRules).current.add(rule)));
        script.push(`ip rule add prio ${priority} ${conditions.words} ${action.words}`);
      }
      const made = await linux.exec(script.map((line) => `${line} 2>/dev/null && echo taken || echo refused`).join('\n'));
      const answers = made.stdout.trimEnd().split('\n');
      expect(script.map((line, index) => `${line}: ${taken[index] ? 'taken' : 'refused'}`)).toEqual(
        script.map((line, index) => `${line}: ${answers[index]}`),
      );
      const { stdout } = await linux.exec(each.flows.map(question).join('\n'));
      const theirs = stdout.trimEnd().split('\n').map(said);
      const list = each.flows.map((flow, index) => `${JSON.stringify(flow)}: ${theirs[index]}`);
      expect(
        each.flows.map((flow) => `${JSON.stringify(flow)}: ${answer(ours, flow)}`),
        script.join('\n'),
      ).toEqual(list);
      await ours.end();
    },
  );
});

/** False: it is refused. */
function attempt(add: () => void): boolean {
  try {
    add();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return false;
  }
}
