import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PortHolder } from './port-slots.ts';
import { PortSlots } from './port-slots.ts';

const key = ({ protocol, localPort }: PortHolder): number => protocol * 0x10000 + localPort;

test('answers as a Map does, whatever is put in and taken out (property)', () => {
  const anyMove = fc.record({
    put: fc.boolean(),
    protocol: fc.constantFrom(6, 17, 0xffff),
    localPort: fc.oneof(fc.nat(40), fc.constantFrom(0x0100, 0x4000, 0xffff)),
  });
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 200, size: 'max' }), (moves) => {
      const slots = new PortSlots<PortHolder>();
      const model = new Map<number, PortHolder>();
      for (const { put, protocol, localPort } of moves) {
        const holder = { protocol, localPort };
        if (put) {
          slots.set(holder);
          model.set(key(holder), holder);
        } else {
          slots.delete(protocol, localPort);
          model.delete(key(holder));
        }
        expect([slots.count, slots.get(protocol, localPort)]).toEqual([model.size, put ? holder : null]);
      }
      for (const holder of model.values()) expect(slots.get(holder.protocol, holder.localPort)).toBe(holder);
      for (let port = 0; port < 50; port++) expect(slots.get(6, port)).toBe(model.get(key({ protocol: 6, localPort: port })) ?? null);
    }),
    { numRuns: 200 },
  );
});

test('all ports of two protocols come and go', () => {
  const slots = new PortSlots<PortHolder>();
  for (const protocol of [6, 17]) for (let localPort = 0; localPort < 0x10000; localPort++) slots.set({ protocol, localPort });
  expect([slots.count, slots.get(6, 80)?.localPort, slots.get(17, 80)?.protocol, slots.get(132, 80)]).toEqual([0x20000, 80, 17, null]);
  for (let localPort = 0; localPort < 0x10000; localPort++) slots.delete(6, localPort);
  let found = 0;
  for (let localPort = 0; localPort < 0x10000; localPort++)
    if (slots.get(17, localPort) !== null && slots.get(6, localPort) === null) found++;
  expect([slots.count, found]).toEqual([0x10000, 0x10000]);
});
