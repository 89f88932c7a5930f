import { DeviceTraffic, DstUse, isFresh, NEIGHBOUR_UPDATE, TRANSMIT } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { bootNeighbours } from './testing/fake-neighbours.ts';
import { bootRouter, flowTo, Holder } from './testing/fake-router.ts';

/** Rules, groups and checks of the source, all at once. */
function policies(): Record<string, () => void> {
  const { add, service, router } = bootRouter();
  const { rules, nextHops } = router;
  const nothing = { family: 2, table: 100, action: 1, source: 3 };
  rules.add({ ...nothing, priority: 1, dstPorts: { first: 1, last: 2 }, realms: 5 });
  rules.add({ ...nothing, priority: 2, mark: 7, not: true, suppressPrefixLen: 0, realms: 6 });
  add('0.0.0.0/0 dev eth0');
  add('10.0.0.0/8 dev eth0 table 100');
  for (const id of [1, 2]) nextHops.add({ id, family: 2, source: 4, hop: { ifindex: id + 1 } });
  const group = [{ id: 1, weight: 3 }, { id: 2 }];
  nextHops.add({ id: 3, family: 0, source: 4, group });
  nextHops.add({ id: 4, family: 0, source: 4, group, resilient: {} });
  add('11.0.0.0/8 nextHopId 3');
  add('12.0.0.0/8 nextHopId 4');
  const flow = flowTo('10.0.0.5', { iif: 2, src2: 0xffff, src3: (11 << 24) | 1 });
  const ask = (first: number, sourceCheck: number) => () => {
    flow.dst3 = (first << 24) | 5;
    flow.srcPort = (flow.srcPort + 1) & 0xffff;
    service.lookupInput(flow, sourceCheck);
  };
  return {
    'a rule, with realms': ask(10, 0),
    'a group by weight': ask(11, 0),
    'a resilient group': ask(12, 0),
    'a source behind a group': ask(10, 1),
    'a source, loosely': ask(11, 2),
  };
}

function lookups(): Record<string, () => void> {
  const { add, service, uses, router } = bootRouter();
  add('10.0.0.0/8 dev eth0');
  add('10.1.0.0/16 dev eth0 dev eth1 weight 3');
  add('0.0.0.0/0 via 10.0.0.1 dev eth0');
  add('11.0.0.0/8 dev eth0 src 10.0.0.9');
  add('fd00::/8 dev eth0');
  add('12.0.0.0/8 type 7');
  add('10.0.0.2/32 dev eth0 type 2 table 255');
  service.learnMtu(flowTo('10.0.0.77'), 1000);
  const flow = flowTo('10.0.0.5');
  const ask = (to: string, input: boolean) => {
    const { family, dst0, dst1, dst2, dst3 } = flowTo(to);
    return () => {
      flow.family = family;
      flow.dst0 = dst0;
      flow.dst1 = dst1;
      flow.dst2 = dst2;
      flow.dst3 = dst3;
      flow.src0 = flow.src1 = flow.src2 = flow.src3 = 0;
      flow.oif = 0;
      flow.iif = input ? 2 : 0;
      flow.srcPort = (flow.srcPort + 1) & 0xffff;
      if (input) service.lookupInput(flow);
      else service.lookup(flow);
    };
  };
  const holder = new Holder();
  uses.hold(holder as never, { name: 'program' }, 'test');
  const use = new DstUse();
  const fixed = flowTo('10.0.0.5');
  service.attach(use, fixed, holder, 'test');
  return {
    'a lookup on the link': ask('10.0.0.5', false),
    'a lookup by a gateway': ask('8.8.8.8', false),
    'a lookup with a preferred source': ask('11.1.1.1', false),
    'one of several ways': ask('10.1.1.1', false),
    'an exception': ask('10.0.0.77', false),
    'an error': ask('12.1.1.1', false),
    'a local address': ask('10.0.0.2', false),
    'a group': ask('224.0.0.5', false),
    IPv6: ask('fd00::5', false),
    'input, local': ask('10.0.0.2', true),
    'input, to forward': ask('8.8.8.8', true),
    'input, a group': ask('255.255.255.255', true),
    'a use that is fresh': () => {
      if (!isFresh(use)) throw new Error('stale');
      service.validate(use, fixed);
    },
    'a use that is stale, and the answer the same': () => {
      service.changed();
      service.validate(use, fixed);
    },
    'exceptions that come and go': () => void router.exceptions.sweep(),
  };
}

function packets(): Record<string, () => void> {
  const { kernel, find, learn } = bootNeighbours();
  kernel.traffic.provide({
    ...DeviceTraffic.absent(() => null as never),
    transmit: (_device, skb) => {
      skb.memory.pool.release(skb);
      return TRANSMIT.OK;
    },
  });
  find(7);
  learn(7, 9, NEIGHBOUR_UPDATE.SOLICITED);
  return {
    'a packet to a neighbour': () => {
      const skb = kernel.packet(1);
      const found = find(7)!;
      found.output(found, skb);
    },
  };
}

describe('once warm, nothing is allocated:', () => {
  test.each(Object.entries({ ...lookups(), ...policies(), ...packets() }))('%s', (_what, act) =>
    expect(heapPerCall(1, act)).toBeLessThan(1),
  );

  test('and the measure sees an allocation', () => {
    const kept: object[] = [];
    const allocate = (): void => {
      kept[0] = { kept };
    };
    expect(heapPerCall(8, allocate)).toBeGreaterThan(8);
  });
});
