import { ETHERTYPE } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EthernetFrame } from './ethernet.ts';
import { ETHERNET_DST, ETHERNET_SRC, emitEthernet, ethernetType, parseEthernet, setEthernetType } from './ethernet.ts';
import { isMac, parseMac } from './mac-address.ts';
import { macText, payload, u16 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';
import { isVlanTpid } from './vlan-tag.ts';

const tag = fc.record({
  tpid: fc.constantFrom(ETHERTYPE.VLAN, ETHERTYPE.QINQ),
  priority: fc.nat(7),
  dropEligible: fc.boolean(),
  id: fc.nat(0xfff),
});
const frame: fc.Arbitrary<EthernetFrame> = fc.record({
  dst: macText,
  src: macText,
  tags: fc.array(tag, { maxLength: 3 }),
  type: u16.filter((type) => !isVlanTpid(type)),
  payload,
});

test('a frame by hand, plain and with two tags', () => {
  const plain = { dst: 'ff:ff:ff:ff:ff:ff', src: '02:00:00:00:00:01', tags: [], type: ETHERTYPE.ARP, payload: hex('0001') };
  expect(emitEthernet(plain)).toEqual(hex('ffffffffffff 020000000001 0806 0001'));
  const tags = [
    { tpid: ETHERTYPE.QINQ, priority: 5, dropEligible: false, id: 5 },
    { tpid: ETHERTYPE.VLAN, priority: 0, dropEligible: true, id: 0xffe },
  ];
  const bytes = hex('ffffffffffff 020000000001 88a8 a005 8100 1ffe 0806 0001');
  expect(emitEthernet({ ...plain, tags })).toEqual(bytes);
  expect(parseEthernet(bytes, 0, bytes.length)).toEqual({ ...plain, tags });
  refusesEveryCut(parseEthernet, bytes.slice(0, 22));
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(frame, (value) => {
      const bytes = emitEthernet(value);
      expect(parseEthernet(bytes, 0, bytes.length)).toEqual(value);
      const view = viewOf(bytes);
      expect(ethernetType(view, 0)).toBe(value.tags[0]?.tpid ?? value.type);
      expect(isMac(view, ETHERNET_DST, parseMac(value.dst)!)).toBe(true);
      expect(isMac(view, ETHERNET_SRC, parseMac(value.src)!)).toBe(true);
    }),
  );
});

test('garbage', () => {
  toleratesGarbage(parseEthernet, frame.map(emitEthernet));
});

test('the type, in its place', () => {
  const bytes = new Uint8Array(18);
  setEthernetType(viewOf(bytes), 2, 0x86dd);
  expect(bytes).toEqual(hex('0000 000000000000 000000000000 86dd 0000'));
});

test.each([
  { dst: '02:00' },
  { src: 'here' },
  { type: 0x10000 },
  { type: -1 },
  { type: 1.5 },
  { type: ETHERTYPE.VLAN },
  { tags: [{ tpid: 0x9100, priority: 0, dropEligible: false, id: 1 }] },
  { tags: [{ tpid: 0x8100, priority: 8, dropEligible: false, id: 1 }] },
  { tags: [{ tpid: 0x8100, priority: 0, dropEligible: false, id: 4096 }] },
])('EINVAL: %j', (bad) => {
  const good = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01', tags: [], type: 0x800, payload: hex('') };
  expect(() => emitEthernet({ ...good, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});
