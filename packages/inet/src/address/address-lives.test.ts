import type { DeviceOps, LinkLayer } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { expect, test } from 'vitest';
import { AddressLives, setLifetimes } from './address-lives.ts';

const device = new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer);
const FOREVER = Number.POSITIVE_INFINITY;

function address(name: number, preferredMs: number, validMs: number): InterfaceAddress {
  const made = new InterfaceAddress(ADDRESS_FAMILY.INET6, device, [0, 0, 0, name], 64);
  setLifetimes(made, preferredMs, validMs, 0);
  made.holdNext = made;
  return made;
}

/** Lives whose time the test moves. */
function bench(entries: InterfaceAddress[]) {
  const told: string[] = [];
  const clock = { nowUs: 0, nowMs: 0, virtual: true, readUs: () => clock.nowUs };
  const timer = {
    armed: false,
    whenUs: 0,
    arm: () => {},
    armAt: (whenUs: number) => Object.assign(timer, { armed: true, whenUs }),
    cancel: () => Object.assign(timer, { armed: false }),
  };
  let fire = (): void => {};
  const lives = new AddressLives({
    clock,
    timer: (call) => {
      fire = call;
      return timer;
    },
    entries: () => entries,
    changed: ({ address: [, , , name] }) => told.push(`${name} deprecated ${clock.nowUs / 1000}`),
    expired: (entry) => {
      told.push(`${entry.address[3]} gone ${clock.nowUs / 1000}`);
      entries.splice(entries.indexOf(entry), 1);
    },
  });
  const until = (ms: number): string[] => {
    while (timer.armed && timer.whenUs <= ms * 1000) {
      clock.nowUs = timer.whenUs;
      timer.armed = false;
      fire();
    }
    clock.nowUs = ms * 1000;
    return told;
  };
  return { lives, until, timer };
}

test('each is deprecated, and goes, at its time', () => {
  const { lives, until, timer } = bench([address(1, 10, 20), address(2, 5, FOREVER), address(3, FOREVER, FOREVER), address(4, 20, 20)]);
  lives.look();
  expect(until(100)).toEqual(['2 deprecated 5', '1 deprecated 10', '1 gone 20', '4 gone 20']);
  expect(timer.armed).toBe(false);
});

test('one that has moved to the next generation is left alone; closed, nothing waits', () => {
  const moved = address(1, 10, 20);
  moved.holdNext = null;
  const { lives, until } = bench([moved]);
  lives.look();
  expect(until(100)).toEqual([]);
  const other = bench([address(2, 10, 20)]);
  other.lives.look();
  other.lives.close();
  other.lives.look();
  expect(other.until(100)).toEqual([]);
});

test('flags follow from lifetimes', () => {
  const { PERMANENT, DEPRECATED } = ADDRESS_FLAG;
  expect([address(1, FOREVER, FOREVER).flags, address(1, 0, FOREVER).flags, address(1, 5, 9).flags, address(1, 0, 9).flags]).toEqual([
    PERMANENT,
    PERMANENT | DEPRECATED,
    0,
    DEPRECATED,
  ]);
});
