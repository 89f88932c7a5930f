import type { AddressWords, DeviceOps, LinkLayer } from '@softnet/contract';
import { ADDRESS_FAMILY, InterfaceAddress, NetDevice } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressIndex } from './address-index.ts';

const devices = [1, 2].map((ifindex) => {
  const made = new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer);
  made.ifindex = ifindex;
  return made;
});

/** Few, so that they meet: link-local ones and others. */
const address = fc.tuple(fc.constantFrom<AddressWords>([0xfe800000 | 0, 0, 0, 1], [0x20010db8, 0, 0, 1], [0x20010db8, 1, 0, 0]), fc.nat(1));

test('finds what was added and not removed, by interface where that counts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), address), { maxLength: 30 }), address, fc.nat(2), (steps, [words], ifindex) => {
      const index = new AddressIndex();
      const there: InterfaceAddress[] = [];
      for (const [add, [each, at]] of steps) {
        const known = there.findIndex((one) => one.address === each && one.device === devices[at]);
        if (add && known < 0) {
          const made = new InterfaceAddress(ADDRESS_FAMILY.INET6, devices[at]!, each, 64);
          index.add(made);
          there.push(made);
        } else if (!add && known >= 0) index.remove(there.splice(known, 1)[0]!);
      }
      expect(index.all).toEqual(there);
      const same = there.filter((one) => one.address === words);
      const here = same.find((one) => one.device.ifindex === ifindex);
      const elsewhere = ifindex === 0 || words[0] > 0 ? same[0] : undefined;
      expect(index.find(...words, ifindex)).toBe(here ?? elsewhere ?? null);
    }),
  );
});
