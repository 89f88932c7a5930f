import { DEVICE_FLAG, Dst, Generation, NEIGHBOUR_STATE, NEIGHBOUR_UPDATE } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNeighbours, FAMILY, FakeProtocol } from '../testing/fake-neighbours.ts';

const { OVERRIDE, SOLICITED, CREATE } = NEIGHBOUR_UPDATE;

describe('what waits', () => {
  test('is sent in order when the answer comes', () => {
    const { kernel, find, learn } = bootNeighbours();
    const neighbour = find(7)!;
    for (let byte = 1; byte <= 5; byte++) neighbour.output(neighbour, kernel.packet(byte));
    expect(kernel.sent).toEqual([]);
    learn(7, 9, SOLICITED);
    expect(kernel.sent).toEqual([1, 2, 3, 4, 5].map((byte) => `${byte} to 9 by eth0`));
  });

  test('is bounded in packets and bytes: the oldest goes', () => {
    const { kernel, find, learn } = bootNeighbours({ unres_qlen: 3, unres_qlen_bytes: 2 });
    const neighbour = find(7)!;
    for (let byte = 1; byte <= 5; byte++) neighbour.output(neighbour, kernel.packet(byte));
    expect(kernel.drops()).toEqual({ 'neighbour.queue-full': 3 });
    learn(7, 9, SOLICITED);
    expect(kernel.sent).toEqual(['4 to 9 by eth0', '5 to 9 by eth0']);
    expect(kernel.pool.idle).toBe(true);
  });

  test('goes with the device, the protocol, or the entry; who removes that has the senders told', () => {
    const { kernel, core, device, protocol, protocols, find } = bootNeighbours();
    const wait = (last: number) => {
      const neighbour = find(last)!;
      neighbour.output(neighbour, kernel.packet(1));
      return neighbour;
    };
    wait(1);
    core.deviceGone(device);
    wait(2);
    core.remove(device, FAMILY, [0, 0, 0xffff, 2]);
    const last = wait(3);
    protocols.set();
    expect(find(4)).toBeNull();
    expect([kernel.drops(), protocol.failures]).toEqual([{ 'neighbour.gone': 2 }, 1]);
    last.output(last, kernel.packet(1));
    expect(kernel.drops()).toEqual({ 'neighbour.gone': 2, 'neighbour.table-full': 1 });
    expect([core.entries(FAMILY), kernel.pool.idle]).toEqual([[], true]);
  });
});

test('what a protocol keeps with a neighbour stays as long as the protocol', () => {
  const { kernel, protocol, protocols, core, find } = bootNeighbours();
  const neighbour = find(7)!;
  neighbour.ext = protocol;
  protocols.set(protocol, { ...protocol, family: 10 } as never);
  core.look();
  expect(neighbour.ext).toBe(protocol);
  protocols.set(protocol, new FakeProtocol(kernel));
  expect([find(7) === neighbour, neighbour.ext]).toEqual([true, null]);
});

test('who kept a neighbour that was collected is led to the new one, and so is its dst', () => {
  const { kernel, core, device, find, learn } = bootNeighbours();
  const old = find(7)!;
  learn(7, 9, SOLICITED);
  core.flush(device);
  const dst = new Dst(new Generation(), () => 0);
  dst.neighbour = old;
  const skb = kernel.packet(1);
  skb.dst = dst;
  old.output(old, skb);
  expect(dst.neighbour).toBe(find(7));
  expect(dst.neighbour).not.toBe(old);
  learn(7, 8, SOLICITED);
  expect(kernel.sent).toEqual(['1 to 8 by eth0']);
});

test('one neighbour stands for all where nobody is asked for', () => {
  const { kernel, core, protocol } = bootNeighbours();
  const lo = kernel.plug('lo', DEVICE_FLAG.LOOPBACK);
  const ppp = kernel.plug('ppp0', DEVICE_FLAG.POINTOPOINT);
  ppp.broadcast.set([1, 1, 1, 1, 1, 1]);
  const [a, b] = [core.find(lo, FAMILY, 0, 0, 0xffff, 1), core.find(lo, FAMILY, 0, 0, 0xffff, 2)];
  expect(a).toBe(b);
  expect(a!.state).toBe(NEIGHBOUR_STATE.NOARP);
  a!.output(a!, kernel.packet(3));
  const far = core.find(ppp, FAMILY, 0, 0, 0xffff, 2)!;
  far.output(far, kernel.packet(4));
  expect(kernel.sent).toEqual([`3 to ${lo.ifindex} by lo`, '4 to 1 by ppp0']);
  expect(protocol.asked).toEqual([]);
});

test('where hosts need not be asked for any more, or must be again, those of before go', () => {
  const { kernel, core, device, find, learn } = bootNeighbours();
  learn(7, 9, NEIGHBOUR_UPDATE.CREATE);
  core.flagsChanged(device);
  const known = find(7)!;
  device.flags |= DEVICE_FLAG.NOARP;
  core.flagsChanged(device);
  expect([core.entries(FAMILY), known.output(known, kernel.packet(1)), kernel.sent]).toEqual([[], 0, ['1 to 1 by eth0']]);
  device.flags &= ~DEVICE_FLAG.NOARP;
  core.flagsChanged(device);
  expect([core.entries(FAMILY), find(7)!.state]).toEqual([[], NEIGHBOUR_STATE.NONE]);
});

describe('a table', () => {
  test('holds no more than it may; who has not answered goes for a newcomer, the first to come first', () => {
    const { kernel, core, find, visited } = bootNeighbours({ collectFrom: 4, hurryFrom: 16, limit: 64 });
    for (let last = 0; last < 2000; last++) {
      const neighbour = find(last)!;
      neighbour.output(neighbour, kernel.packet(1));
      expect([neighbour.queue.lenPackets, core.entries(FAMILY).length]).toEqual([1, Math.min(last + 1, 64)]);
    }
    expect(core.entries(FAMILY).every(({ address3 }) => address3 >= 2000 - 64)).toBe(true);
    expect([kernel.drops(), visited.value]).toEqual([{ 'neighbour.table-full': 2000 - 64 }, 2000 - 64]);
    core.close();
    expect(kernel.pool.idle).toBe(true);
  });

  test('is swept of who is stale and unused, a bounded number at a time, down to what may stay', () => {
    const { kernel, core, learn } = bootNeighbours({ collectFrom: 100, hurryFrom: 5000, limit: 5000 });
    for (let last = 0; last < 1000; last++) learn(last, last, CREATE | OVERRIDE);
    kernel.advance(59_900);
    let before = core.entries(FAMILY).length;
    expect(before).toBe(1000);
    for (let i = 0; i < 200 && before > 100; i++) {
      kernel.advance(9);
      const now = core.entries(FAMILY).length;
      expect(before - now).toBeLessThanOrEqual(256);
      before = now;
    }
    expect(before).toBe(100);
    kernel.advance(100_000);
    expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
  });

  test('finds what was put in, whatever came and went', () => {
    const step = fc.record({ last: fc.integer({ min: 0, max: 40 }), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { core, device, find, objects } = bootNeighbours();
        const model = new Map<number, unknown>();
        for (const { last, remove } of steps) {
          if (remove && model.delete(last)) core.remove(device, FAMILY, [0, 0, 0xffff, last]);
          if (remove) continue;
          const found = find(last);
          if (model.has(last)) expect(found).toBe(model.get(last));
          model.set(last, found);
        }
        expect(
          core
            .entries(FAMILY)
            .map(({ address3 }) => address3)
            .sort((a, b) => a - b),
        ).toEqual([...model.keys()].sort((a, b) => a - b));
        expect(objects.count).toBe(model.size);
      }),
      { numRuns: 200 },
    );
  });
});

test('listeners are told who comes, changes and goes', () => {
  const { kernel, core, device, listeners, find, learn } = bootNeighbours();
  const told: string[] = [];
  const name = (state: number): string => Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === state)![0];
  listeners.set({
    neighbourChanged: (change, { address3, state, linkAddress, isRouter }) =>
      void told.push(`${change} ${address3} ${name(state)} ${linkAddress[5]}${isRouter ? ' router' : ''} for ${kernel.current.id}`),
  });
  const neighbour = find(7)!;
  neighbour.output(neighbour, kernel.packet(1));
  learn(7, 9, SOLICITED);
  learn(7, 9, SOLICITED);
  learn(7, 8, OVERRIDE | SOLICITED);
  learn(7, 8, NEIGHBOUR_UPDATE.IS_ROUTER);
  core.confirm(neighbour);
  kernel.advance(30_000);
  core.set(device, FAMILY, [0, 0, 0xffff, 7], Uint8Array.of(2, 0, 0, 0, 0, 5), undefined, true);
  core.remove(device, FAMILY, [0, 0, 0xffff, 7]);
  expect(told).toEqual(
    [
      ...['add 7 NONE 0', 'replace 7 INCOMPLETE 0', 'replace 7 REACHABLE 9', 'replace 7 REACHABLE 8', 'replace 7 REACHABLE 8 router'],
      ...['replace 7 STALE 8 router', 'replace 7 PERMANENT 5 router', 'remove 7 PERMANENT 5 router'],
    ].map((each) => `${each} for 1`),
  );
  expect(kernel.current.id).toBe(0);
});

test('a listener that throws harms neither the neighbour nor the others; it is thrown later, as its own', () => {
  const { kernel, core, listeners, protocol, find, learn } = bootNeighbours();
  let heard = 0;
  const bad = (): never => {
    throw new Error('odd');
  };
  listeners.set({ neighbourChanged: bad }, { neighbourChanged: () => void heard++ });
  const neighbour = find(7)!;
  neighbour.output(neighbour, kernel.packet(1));
  kernel.advance(1000);
  learn(7, 9, SOLICITED);
  expect([heard, protocol.asked.length, kernel.sent]).toEqual([3, 2, ['1 to 9 by eth0']]);
  expect([() => core.rethrow(), () => core.rethrow()].map((act) => thrown(act))).toEqual(['odd', 'nothing']);
  expect(kernel.current.id).toBe(1);
});

function thrown(act: () => void): string {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('by hand', () => {
  test('a neighbour is set for good: news do not change it, and what waits is sent', () => {
    const { kernel, core, device, find, learn } = bootNeighbours();
    const neighbour = find(7)!;
    neighbour.output(neighbour, kernel.packet(1));
    core.set(device, FAMILY, [0, 0, 0xffff, 7], Uint8Array.of(2, 0, 0, 0, 0, 77));
    learn(7, 9, OVERRIDE | SOLICITED);
    core.flush(device);
    kernel.advance(100_000);
    neighbour.output(neighbour, kernel.packet(2));
    expect(kernel.sent).toEqual(['1 to 77 by eth0', '2 to 77 by eth0']);
    core.remove(device, FAMILY, [0, 0, 0xffff, 7]);
    expect(core.entries(FAMILY)).toEqual([]);
  });

  test('mistakes are said', () => {
    const { core, device } = bootNeighbours();
    expect(() => core.set(device, FAMILY, [0, 0, 0xffff, 0x0a000001], new Uint8Array(5))).toThrow(
      'EINVAL: the link address for 10.0.0.1 on eth0 has 5 bytes, and those of eth0 have 6',
    );
    for (const state of [0, NEIGHBOUR_STATE.PROBE, NEIGHBOUR_STATE.FAILED, NEIGHBOUR_STATE.STALE | NEIGHBOUR_STATE.REACHABLE, 512]) {
      expect(() => core.set(device, FAMILY, [0, 0, 0xffff, 1], new Uint8Array(6), state)).toThrow('EINVAL: 0.0.0.1 on eth0 cannot be set');
    }
    expect(() => core.remove(device, FAMILY, [0, 0, 0xffff, 0x0a000001])).toThrow('ENOENT: eth0 has no neighbour 10.0.0.1');
    device.flags &= ~DEVICE_FLAG.UP;
    expect(() => core.set(device, FAMILY, [0, 0, 0xffff, 1], new Uint8Array(6))).toThrow('ENOBUFS: there is no neighbour 0.0.0.1 on eth0');
  });

  test('a protocol refuses an address, or says where it needs no asking', () => {
    const { kernel, protocol, find, objects } = bootNeighbours();
    protocol.beginState = NEIGHBOUR_STATE.FAILED;
    expect([find(7), objects.count]).toEqual([null, 0]);
    protocol.beginState = NEIGHBOUR_STATE.NOARP;
    const neighbour = find(8)!;
    neighbour.output(neighbour, kernel.packet(1));
    expect([kernel.sent, protocol.asked]).toEqual([['1 to 0 by eth0'], []]);
  });
});
