import type { Flow, RoutingRule } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DstUse, ERRNO, isFresh, ROUTE_TYPE, RULE_ACTION, SOURCE_CHECK } from '@softnet/contract';
import { parsePrefix } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootRouter, flowTo, Holder, where } from '../testing/fake-router.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { TABLE, GOTO, NOP, BLACKHOLE, UNREACHABLE, PROHIBIT } = RULE_ACTION;

function prefix(text: string) {
  const { words, prefixLen } = parsePrefix(text)!;
  return { address: words, prefixLen };
}

/** A rule that asks table 100, in front of main. */
function rule(changes: Partial<RoutingRule> = {}): RoutingRule {
  return { family: INET, priority: 100, action: TABLE, table: 100, source: 3, ...changes };
}

/** Main leads by eth0, table 100 by eth1. */
function boot() {
  const net = bootRouter();
  net.add('0.0.0.0/0 dev eth0');
  net.add('0.0.0.0/0 dev eth1 table 100');
  const { rules } = net.router;
  const asked = (changes: Partial<Flow> = {}): string => where(net.ask('10.1.2.3', changes));
  return { ...net, rules, asked };
}

const from = (third: number): Partial<Flow> => ({ src2: 0xffff, src3: (10 << 24) | (9 << 16) | (third << 8) | 1 });

test('at first there are Linux’s', () => {
  const { service } = bootRouter();
  const said = (family: number) => service.rules(family).map(({ priority, table }) => `${priority}: ${table}`);
  expect([said(INET), said(INET6), said(7)]).toEqual([['0: 255', '32766: 254', '32767: 253'], ['0: 255', '32766: 254'], []]);
});

describe('what a rule asks for:', () => {
  const cases: Record<string, [rule: Partial<RoutingRule>, fits: Partial<Flow>, fitsNot: Partial<Flow>]> = {
    nothing: [{}, {}, { table: 254 }],
    'the source': [{ from: prefix('10.9.1.0/24') }, from(1), from(2)],
    'a source, and none is known yet': [{ from: prefix('10.9.1.0/24') }, from(1), {}],
    'the device that it came in by': [{ iif: 'eth1' }, { iif: 3 }, { iif: 2 }],
    'what is made here': [{ iif: 'lo' }, {}, { iif: 2 }],
    'the device that it is bound to': [{ oif: 'eth1' }, { oif: 3 }, {}],
    'a mark': [{ mark: 5 }, { mark: 5 }, { mark: 7 }],
    'some bits of a mark': [{ mark: 0x80000005, markMask: 0x8000000f }, { mark: 0x80000035 | 0 }, { mark: 5 }],
    'the type of service': [{ tos: 0x10 }, { tos: 0x13 }, { tos: 0x20 }],
    'a protocol': [{ ipProtocol: 17 }, { protocol: 17 }, { protocol: 6 }],
    'ports of the source': [{ srcPorts: { first: 10, last: 20 } }, { srcPort: 20 }, { srcPort: 21 }],
    'ports of the destination': [{ dstPorts: { first: 53, last: 53 } }, { dstPort: 53 }, { dstPort: 54 }],
    users: [{ uids: { first: 1000, last: 0xffffffff } }, { uid: 4_000_000_000 }, { uid: 999 }],
    'all others': [{ mark: 5, not: true }, { mark: 7 }, { mark: 5 }],
    'two things': [{ mark: 5, tos: 0x10 }, { mark: 5, tos: 0x10 }, { mark: 5 }],
  };
  test.each(Object.entries(cases))('%s', (_what, [changes, fits, fitsNot]) => {
    const { rules, asked } = boot();
    rules.add(rule(changes));
    expect([asked(fits), asked(fitsNot)]).toEqual(['eth1', 'eth0']);
  });

  test('the destination', () => {
    const { rules, ask } = boot();
    rules.add(rule({ to: prefix('10.1.2.0/24') }));
    expect(['10.1.2.3', '10.1.3.3'].map((to) => where(ask(to)))).toEqual(['eth1', 'eth0']);
  });

  test('addresses of IPv6, by all of their bits', () => {
    const { rules, add, ask } = boot();
    add('::/0 dev eth0');
    add('::/0 dev eth1 table 100');
    rules.add(rule({ family: INET6, to: prefix('2001:db8:1:2:3:4::/96') }));
    expect(['2001:db8:1:2:3:4::9', '2001:db8:1:2:3:5::9'].map((to) => where(ask(to)))).toEqual(['eth1', 'eth0']);
  });
});

describe('what a rule does:', () => {
  test('refuses, with Linux’s errnos', () => {
    const { rules, ask, kernel } = boot();
    for (const [priority, action] of [BLACKHOLE, UNREACHABLE, PROHIBIT].entries())
      rules.add(rule({ priority, action, tos: (priority + 1) * 4 }));
    const dsts = [4, 8, 12].map((tos) => ask('10.1.2.3', { tos }));
    expect(dsts.map(({ error }) => error)).toEqual([ERRNO.EINVAL, ERRNO.ENETUNREACH, ERRNO.EACCES]);
    for (const dst of dsts) dst.output(kernel.packet(1));
    expect(kernel.drops()).toEqual({ 'route.blackhole': 1, 'route.none': 1, 'route.prohibit': 1 });
    expect([ask('224.0.0.1', { tos: 12, oif: 2 }).error, where(ask('224.0.0.1', { oif: 2 }))]).toEqual([ERRNO.EACCES, '5 eth0']);
  });

  test('goes on elsewhere, or does nothing; what is not there is passed over', () => {
    const { rules, asked } = boot();
    rules.add(rule({ priority: 10, action: GOTO, goto: 200 }));
    rules.add(rule({ priority: 100 }));
    expect(asked(), 'no rule 200').toBe('eth1');
    rules.add(rule({ priority: 200, action: NOP }));
    expect(asked()).toBe('eth0');
    rules.add(rule({ priority: 5, table: 777 }));
    expect(asked()).toBe('eth0');
  });

  test('passes over answers by short prefixes, not over refusals', () => {
    const { rules, add, asked } = boot();
    rules.add(rule({ suppressPrefixLen: 0 }));
    expect(asked()).toBe('eth0');
    add('10.0.0.0/8 dev eth1 table 100');
    expect(asked()).toBe('eth1');
    rules.add(rule({ priority: 50, table: 101, suppressPrefixLen: 32 }));
    add(`10.1.0.0/16 type ${ROUTE_TYPE.PROHIBIT} table 101`);
    expect(asked()).toBe(`error ${ERRNO.EACCES}`);
  });

  test('gives realms to routes that have none, each in a dst of its own', () => {
    const { rules, add, ask, service, router, store } = boot();
    add('10.2.0.0/16 dev eth1 table 100 realms 7');
    rules.add(rule({ realms: 0x30005, mark: 1 }));
    const plain = ask('10.1.2.3', { table: 100 });
    const marked = ask('10.1.2.3', { mark: 1 });
    expect([plain.realms, marked.realms, ask('10.2.2.3', { mark: 1 }).realms]).toEqual([0, 0x30005, 0x30007]);
    expect(ask('10.1.9.9', { mark: 1 })).toBe(marked);
    service.learnMtu(flowTo('10.1.2.3', { mark: 1 }), 1000);
    expect([ask('10.1.2.3', { mark: 1 }).mtuBytes, ask('10.1.2.3', { mark: 1 }).realms, ask('10.1.2.3').mtuBytes]).toEqual([
      1000, 0x30005, 1500,
    ]);
    for (const entry of store.entries(INET)) store.remove(entry);
    expect([router.hops.count, router.exceptions.count]).toEqual([0, 0]);
  });

  test('changes a thousand times, and what it gave is not kept', () => {
    const { rules, asked, router } = boot();
    for (let realms = 1; realms <= 1000; realms++) {
      rules.add(rule({ realms }));
      expect(asked()).toBe('eth1');
      rules.remove(rule({ realms }));
    }
    expect(router.hops.count).toBeLessThan(300);
  });

  test('counts for the way back of a source, too', () => {
    const { rules, add, service } = boot();
    const input = () => where(service.lookupInput(flowTo('10.1.2.3', { iif: 3, ...from(1) }), SOURCE_CHECK.STRICT));
    expect(input()).toBe(`error ${ERRNO.EXDEV}`);
    rules.add(rule({ to: prefix('10.9.0.0/16') }));
    expect(input()).toBe('eth0');
    add(`10.9.1.0/24 type ${ROUTE_TYPE.BLACKHOLE} table 100`);
    expect(input()).toBe(`error ${ERRNO.EXDEV}`);
  });
});

test('devices are meant by name, and may come later', () => {
  const { rules, asked, kernel, router, eth1 } = boot();
  rules.add(rule({ iif: 'eth2' }));
  expect(asked({ iif: 4 })).toBe('eth0');
  const eth2 = kernel.plug('eth2');
  router.deviceChanged(eth2, DEVICE_EVENT.REGISTER);
  expect(asked({ iif: 4 })).toBe('eth1');
  const before = router.generation.value;
  eth2.name = 'wan';
  eth1.name = 'eth2';
  router.deviceChanged(eth2, DEVICE_EVENT.NAME);
  expect([asked({ iif: 4 }), asked({ iif: 3 }), router.generation.value !== before]).toEqual(['eth0', 'eth2', true]);
});

test('rules of one priority stay in order; the first that agrees goes', () => {
  const { rules, service } = boot();
  for (const mark of [3, 1, 2]) rules.add(rule({ mark }));
  const marks = () => service.rules(INET).flatMap(({ mark }) => mark ?? []);
  expect(marks()).toEqual([3, 1, 2]);
  rules.remove(rule({ mark: 1 }));
  rules.remove({ family: INET, priority: -1, action: 0, table: 100, source: 0 });
  expect(marks()).toEqual([2]);
  rules.remove({ family: INET, priority: 0, action: TABLE, source: 0 });
  expect(service.rules(INET).map(({ priority }) => priority)).toEqual([100, 32_766, 32_767]);
});

test('mistakes are said', () => {
  const { rules } = boot();
  rules.add(rule({ from: prefix('10.9.1.0/24') }));
  expect(() => rules.add(rule({ from: prefix('10.9.1.7/24') }))).toThrow('EEXIST: the rule of priority 100 is there already');
  expect(() => rules.remove(rule({ mark: 1 }))).toThrow('ENOENT: there is no such rule');
  const bad: Partial<RoutingRule>[] = [
    ...[
      { priority: -1 },
      { priority: 2 ** 32 },
      { action: 99 },
      { table: 0 },
      { action: GOTO, goto: 100 },
      { tos: 3 },
      { ipProtocol: 256 },
    ],
    ...[{ srcPorts: { first: 5, last: 4 } }, { dstPorts: { first: 0, last: 65_536 } }, { from: { ...prefix('1.0.0.0/8'), prefixLen: 33 } }],
    ...[{ suppressPrefixLen: 40 }, { uids: { first: -1, last: 4 } }],
  ];
  for (const changes of bad) expect(() => rules.add(rule(changes)), JSON.stringify(changes)).toThrow('EINVAL: the rule cannot be');
  expect(() => rules.add(rule({ family: 7 }))).toThrow('EAFNOSUPPORT');
});

test('thousands of rules and tables, one after the other, take no minutes', () => {
  const { rules, add, asked } = boot();
  const begun = process.cpuUsage();
  for (let i = 1; i <= 1500; i++) rules.add(rule({ priority: i, table: i + 300, mark: i }));
  for (let i = 1; i <= 1500; i++) add(`0.0.0.0/0 dev eth1 table ${i + 300}`);
  expect([asked({ mark: 1500 }), asked({ mark: 1501 })]).toEqual(['eth1', 'eth0']);
  const { user, system } = process.cpuUsage(begun);
  expect(user + system).toBeLessThan(3_000_000);
});

test('ports are asked for while a rule asks for them', () => {
  const { rules, service } = boot();
  const asks = () => [service.wantsPorts(INET), service.wantsPorts(INET6), service.wantsPorts(7)];
  rules.add(rule({ mark: 1 }));
  expect(asks()).toEqual([false, false, false]);
  rules.add(rule({ dstPorts: { first: 1, last: 2 } }));
  expect(asks()).toEqual([true, false, false]);
  rules.remove(rule({ dstPorts: { first: 1, last: 2 } }));
  expect(asks()).toEqual([false, false, false]);
});

test('who has cached a dst notices a rule at once', () => {
  const { rules, service, uses } = boot();
  const holder = new Holder();
  uses.hold(holder as never, { name: 'program' }, 'test');
  const use = new DstUse();
  service.attach(use, flowTo('10.1.2.3', { mark: 1 }), holder, 'test');
  rules.add(rule({ mark: 1 }));
  expect([isFresh(use), where(service.validate(use, flowTo('10.1.2.3', { mark: 1 })))]).toEqual([false, 'eth1']);
  rules.remove(rule({ mark: 1 }));
  expect([isFresh(use), where(service.validate(use, flowTo('10.1.2.3', { mark: 1 })))]).toEqual([false, 'eth0']);
});

test('lookups are those of a plain model', () => {
  const numbers = fc.integer({ min: 0, max: 3 });
  const some = fc.record({
    priority: fc.integer({ min: 1, max: 6 }),
    table: fc.integer({ min: 101, max: 104 }),
    mark: numbers,
    markMask: numbers,
    tos: fc.constantFrom(0, 4),
    not: fc.boolean(),
    srcPorts: fc.option(fc.constant({ first: 1, last: 2 }), { nil: undefined }),
    goto: fc.option(fc.integer({ min: 2, max: 7 }), { nil: undefined }),
  });
  const flows = fc.record({ mark: numbers, tos: fc.constantFrom(0, 4), srcPort: numbers });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 6 }), fc.array(flows, { minLength: 1, maxLength: 6 }), (list, asked) => {
      const { router, service, add, kernel } = bootRouter();
      for (const [index, table] of [101, 102, 103].entries()) add(`10.0.0.0/8 dev ${kernel.plug(`t${index}`).name} table ${table}`);
      const made = list.map(({ goto, ...rest }) => {
        const isGoto = goto !== undefined && goto > rest.priority;
        return rule({ ...rest, ...(isGoto ? { action: GOTO, goto } : {}) } as Partial<RoutingRule>);
      });
      for (const each of made) {
        try {
          router.rules.add(each);
        } catch (error) {
          expect(String(error)).toContain('EEXIST');
        }
      }
      for (const flow of asked) {
        const table = model(service.rules(INET), flow);
        expect(where(service.lookup(flowTo('10.1.2.3', flow)))).toBe(table === 0 ? `error ${ERRNO.ENETUNREACH}` : `t${table - 101}`);
      }
    }),
    { numRuns: 150 },
  );
});

/** The table whose answer counts; 0: none. Only tables 101 to 103 have one. */
function model(rules: readonly RoutingRule[], flow: { mark: number; tos: number; srcPort: number }): number {
  let next = 0;
  for (const each of rules) {
    if (each.priority < next) continue;
    const { mark = 0, markMask = 0, tos = 0, srcPorts } = each;
    const agrees = (flow.mark & markMask) === (mark & markMask) && (tos === 0 || tos === flow.tos);
    const ports = srcPorts === undefined || (flow.srcPort >= srcPorts.first && flow.srcPort <= srcPorts.last);
    if ((agrees && ports) === (each.not ?? false)) continue;
    if (each.action === GOTO) {
      if (rules.some(({ priority }) => priority === each.goto)) next = each.goto!;
    } else if (each.table! >= 101 && each.table! <= 103) return each.table!;
  }
  return 0;
}
