import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootNeighbours, FAMILY } from '../testing/fake-neighbours.ts';

test('an address is answered for on a device, or on every one; it goes with the device', () => {
  const { kernel, core, device } = bootNeighbours();
  const other = kernel.plug('eth1');
  const asked = (last: number) => [device, other].map((each) => core.isProxied(each, FAMILY, 0, 0, 0xffff, last));
  core.addProxy(device, FAMILY, [0, 0, 0xffff, 1]);
  core.addProxy(null, FAMILY, [0, 0, 0xffff, 2]);
  expect([asked(1), asked(2), asked(3), core.isProxied(device, 10, 0, 0, 0xffff, 1)]).toEqual([
    [true, false],
    [true, true],
    [false, false],
    false,
  ]);
  expect(core.proxies(FAMILY).map(({ device: on, address }) => [on?.name, address[3]])).toEqual([
    ['eth0', 1],
    [undefined, 2],
  ]);
  core.deviceGone(device);
  expect([asked(1), asked(2)]).toEqual([
    [false, false],
    [true, true],
  ]);
  core.removeProxy(null, FAMILY, [0, 0, 0xffff, 2]);
  expect([asked(2), core.proxies(FAMILY)]).toEqual([[false, false], []]);
});

test('mistakes are said, and there is an end', () => {
  const { core, device } = bootNeighbours();
  const address = (last: number) => [0, 0, 0xffff, 0x0a000000 + last] as const;
  core.addProxy(device, FAMILY, address(1));
  expect(() => core.addProxy(device, FAMILY, address(1))).toThrow('EEXIST: answered for already: 10.0.0.1 on eth0');
  expect(() => core.removeProxy(null, FAMILY, address(1))).toThrow('ENOENT: nobody answers for 10.0.0.1 on every device');
  for (let last = 2; last <= 4096; last++) core.addProxy(null, FAMILY, address(last));
  expect(() => core.addProxy(null, FAMILY, address(4097))).toThrow('ENOBUFS');
  core.close();
  expect(core.proxies(FAMILY)).toEqual([]);
});

test('as a list has it, whatever comes and goes', () => {
  const step = fc.record({ last: fc.integer({ min: 0, max: 9 }), everywhere: fc.boolean(), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { core, device } = bootNeighbours();
      const model = new Set<string>();
      for (const { last, everywhere, add } of steps) {
        const [on, key] = [everywhere ? null : device, `${last} ${everywhere}`];
        const act = () => core[add ? 'addProxy' : 'removeProxy'](on, FAMILY, [0, 0, 0xffff, last]);
        if (model.has(key) === add) expect(act).toThrow(add ? 'EEXIST' : 'ENOENT');
        else act();
        if (add) model.add(key);
        else model.delete(key);
        expect(core.isProxied(device, FAMILY, 0, 0, 0xffff, last)).toBe(model.has(`${last} true`) || model.has(`${last} false`));
      }
      expect(core.proxies(FAMILY)).toHaveLength(model.size);
    }),
  );
});
