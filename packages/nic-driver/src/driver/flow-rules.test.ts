import { FlowKey, FlowRule } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameFlow, withAutomaticRule } from './flow-rules.ts';
import { FlowEntry, FlowTable } from './flow-table.ts';

const flow = (port: number): FlowKey =>
  Object.assign(new FlowKey(), { protocol: 17, local3: 1, remote3: 2, localPort: 7, remotePort: port });

function manual(location: number, port: number): FlowRule {
  const rule = Object.assign(new FlowRule(), { location, queue: 1 });
  Object.assign(rule.key, flow(port));
  return rule;
}

test('flows differ by any of their words, and not by their interface', () => {
  const key = flow(1);
  for (const name of Object.keys(key) as (keyof FlowKey)[]) {
    const other = Object.assign(flow(1), { [name]: 4711 });
    expect(isSameFlow(key, other)).toBe(name === 'ifindex');
  }
});

test('an automatic rule is the only one of its flow, behind those that were ordered; the oldest gives way', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1200), { maxLength: 60 }), fc.nat(1024), (ports, ordered) => {
      let rules: readonly FlowRule[] = Array.from({ length: ordered }, (_, i) => manual(i, 5000 + i));
      const model: number[] = [];
      for (const port of ports) {
        const next = withAutomaticRule(rules, flow(port), 2);
        if (next === null) {
          expect(ordered).toBe(1024);
          continue;
        }
        rules = next.rules;
        expect(next.evicted === null).toBe(ordered + new Set([...model, port]).size <= 1024);
        if (model.includes(port)) model.splice(model.indexOf(port), 1);
        model.push(port);
        if (ordered + model.length > 1024) model.shift();
      }
      expect(rules.filter(({ automatic }) => automatic).map(({ key }) => key.remotePort)).toEqual(model);
      expect(rules.length).toBe(ordered + model.length);
      const locations = rules.map(({ location }) => location);
      expect(locations).toEqual(locations.toSorted((a, b) => a - b));
      expect(new Set(locations).size).toBe(locations.length);
    }),
    { numRuns: 20 },
  );
});

test('the table is a map, also where hashes collide', () => {
  const action = fc.record({ port: fc.nat(20), hash: fc.constantFrom(0, 1, 2048, -1), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const table = new FlowTable();
      const model = new Map<string, FlowEntry>();
      for (const { port, hash, remove } of actions) {
        const name = `${port} ${hash}`;
        const known = model.get(name);
        expect(table.find(flow(port), hash)).toBe(known ?? null);
        if (known !== undefined && remove) {
          table.remove(known);
          model.delete(name);
        } else if (known === undefined) {
          const entry = Object.assign(new FlowEntry(), { hash });
          Object.assign(entry.key, flow(port));
          table.add(entry);
          model.set(name, entry);
        }
        expect(table.count).toBe(model.size);
      }
      expect(new Set(table.all())).toEqual(new Set(model.values()));
    }),
  );
});
