import type { AddressWords, DeviceOps, DeviceTraffic, LinkLayer, Plain } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { expect, test } from 'vitest';
import { DuplicateDetection } from '../dad/duplicate-detection.ts';
import { AddressState, ORIGIN, stateOf } from '../machine/address-state.ts';
import { freezeAddress, thawAddress } from './frozen-address.ts';

const device = new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer);
device.ifindex = 3;
const traffic = { byIndex: (ifindex: number) => (ifindex === 3 ? device : null) } as unknown as DeviceTraffic;
const WORDS: AddressWords = [0xfd000000 | 0, 0, 0, 1];

test('all of an address moves, as plain data', () => {
  const before = new InterfaceAddress(ADDRESS_FAMILY.INET6, device, WORDS, 64);
  Object.assign(before, { scope: 0, flags: ADDRESS_FLAG.TENTATIVE, preferredUntilMs: 5000, metric: 7, label: 'x', peer: [1, 2, 3, 4] });
  const state = Object.assign(new AddressState(ORIGIN.TEMPORARY, 1000), { attempt: 2, desyncMs: 30, isSucceeded: true });
  state.advertisedBy([1, 2, 3, 4]);
  state.detection = new DuplicateDetection({ probe: () => {}, unique: () => {}, duplicate: () => {}, looped: () => {} });
  state.detection.begin(100, { transmits: 2, retransUs: 10, delayUs: 5, nonce: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  before.ext = state;
  const frozen = freezeAddress(before);
  const { entry, detection } = thawAddress(structuredClone(frozen), traffic, 9999);
  expect(detection).toEqual(state.detection.freeze());
  const { detection: ours, ...own } = stateOf(entry);
  const { detection: theirs, ...other } = state;
  expect([own, ours === theirs]).toEqual([other, false]);
  const fields = ({ ext, holdNext, ...rest }: InterfaceAddress): object => rest;
  expect(fields(entry)).toEqual(fields(before));
});

test.each([
  [ADDRESS_FLAG.PERMANENT, ORIGIN.HAND],
  [0, ORIGIN.LINK],
])('layout 1 with flags %i: made by %i, for ever, and nobody looks for duplicates again', (flags, origin) => {
  const data: Plain = { ifindex: 3, address: [...WORDS], prefixLen: 64, scope: 253, flags };
  const { entry, detection } = thawAddress({ version: 1, data }, traffic, 42);
  expect([stateOf(entry).origin, entry.flags, entry.scope, detection]).toEqual([origin, ADDRESS_FLAG.PERMANENT, 253, null]);
  expect([entry.validUntilMs, entry.preferredUntilMs]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test('on a device that is gone: ENODEV', () => {
  const data: Plain = { ifindex: 4, address: [...WORDS], prefixLen: 64, scope: 0, flags: 0 };
  expect(() => thawAddress({ version: 1, data }, traffic, 0)).toThrow('ENODEV: the address fd00::1 is on device 4');
});
