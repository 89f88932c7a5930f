import type { DeviceOps, SkbPool } from '@softnet/contract';
import { ETHERTYPE, NetDevice, PacketMemory, SKB_TYPE, Skb } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emitEthernet, parseEthernet } from './ethernet.ts';
import { etherLink, insertVlanTag } from './ethernet-link.ts';
import { formatMac, parseMac } from './mac-address.ts';
import { macText, payload, u16 } from './testing/arbitraries.ts';
import { hex } from './testing/hex.ts';
import { emitVlanTag, isVlanTpid } from './vlan-tag.ts';

const OURS = '02:00:00:00:00:01';
const PEER = '02:00:00:00:00:02';
const ROOM = 64;

function device(address = OURS): NetDevice {
  const made = new NetDevice({} as DeviceOps, etherLink);
  made.address.set(parseMac(address)!);
  return made;
}

/** A packet of these bytes, somewhere in memory; `room`: is the head its own? */
function skbOf(bytes: Uint8Array, room = true): Skb {
  const memory = new PacketMemory(new Uint8Array(4096), { makeRoom: () => room } as unknown as SkbPool);
  const skb = new Skb(memory);
  skb.head = 1000;
  skb.data = skb.head + ROOM;
  skb.tail = skb.data + bytes.length;
  skb.end = 4096;
  skb.len = bytes.length;
  memory.bytes.set(bytes, skb.data);
  return skb;
}

function bytesOf(skb: Skb, from = skb.data): Uint8Array {
  return skb.memory.bytes.slice(from, skb.tail);
}

const tag = fc.record({
  tpid: fc.constantFrom(ETHERTYPE.VLAN, ETHERTYPE.QINQ),
  priority: fc.nat(7),
  dropEligible: fc.boolean(),
  id: fc.nat(0xfff),
});
const ethertype = u16.filter((type) => type >= 0x600 && !isVlanTpid(type));

test('a header by hand', () => {
  const skb = skbOf(hex('0102'));
  etherLink.write(skb, device(), ETHERTYPE.ARP, parseMac('ff:ff:ff:ff:ff:ff')!, null);
  expect(bytesOf(skb)).toEqual(hex('ffffffffffff 020000000001 0806 0102'));
  expect([skb.len, skb.mac, skb.protocol]).toEqual([16, skb.data, ETHERTYPE.ARP]);
});

test('what is written is read, for whom it is', () => {
  fc.assert(
    fc.property(macText, macText, ethertype, payload, fc.boolean(), (dst, src, type, data, own) => {
      const skb = skbOf(data);
      const { data: start, len } = skb;
      etherLink.write(skb, device(src), type, parseMac(dst)!, own ? null : parseMac(src)!);
      expect(parseEthernet(bytesOf(skb), 0, skb.len)).toEqual({ dst, src, tags: [], type, payload: data });
      expect(etherLink.read(skb, device(dst))).toBe(true);
      const group = (parseMac(dst)![0]! & 1) === 1;
      const expected = dst === 'ff:ff:ff:ff:ff:ff' ? SKB_TYPE.BROADCAST : group ? SKB_TYPE.MULTICAST : SKB_TYPE.HOST;
      expect([skb.data, skb.network, skb.len, skb.protocol, skb.type, skb.vlan]).toEqual([start, start, len, type, expected, 0]);
      expect(formatMac(skb.memory.bytes, skb.mac)).toBe(dst);
    }),
  );
});

test.each([
  [OURS, SKB_TYPE.HOST],
  [PEER, SKB_TYPE.OTHERHOST],
  ['02:00:00:00:00:00', SKB_TYPE.OTHERHOST],
  ['ff:ff:ff:ff:ff:ff', SKB_TYPE.BROADCAST],
  ['ff:ff:ff:ff:ff:fe', SKB_TYPE.MULTICAST],
  ['ff:ff:ff:ff:fe:ff', SKB_TYPE.MULTICAST],
  ['01:00:5e:00:00:01', SKB_TYPE.MULTICAST],
])('a frame to %s is of type %i', (dst, type) => {
  const skb = skbOf(emitEthernet({ dst, src: PEER, tags: [], type: 0x800, payload: hex('00') }));
  expect([etherLink.read(skb, device()), skb.type]).toEqual([true, type]);
});

test('one tag is taken off, so that the frame is as if there had been none; put in again, it is as before', () => {
  fc.assert(
    fc.property(fc.array(tag, { minLength: 1, maxLength: 3 }), ethertype, payload, (tags, type, data) => {
      const frame = { dst: OURS, src: PEER, tags, type, payload: data };
      const skb = skbOf(emitEthernet(frame));
      expect(etherLink.read(skb, device())).toBe(true);
      const [first, ...rest] = tags;
      expect([skb.vlan, skb.protocol, skb.network - skb.mac]).toEqual([emitVlanTag(first!), rest[0]?.tpid ?? type, 14]);
      const lenBytes = skb.tail - skb.mac;
      expect(parseEthernet(bytesOf(skb, skb.mac), 0, lenBytes)).toEqual({ ...frame, tags: rest });
      expect([skb.data, skb.len]).toEqual([skb.network, skb.tail - skb.network]);
      skb.len += skb.data - skb.mac;
      skb.data = skb.mac;
      insertVlanTag(skb);
      expect(bytesOf(skb)).toEqual(emitEthernet(frame));
      expect([skb.vlan, skb.mac, skb.len]).toEqual([0, skb.data, skb.tail - skb.data]);
    }),
  );
});

test('a tag behind the one that the device took off stays: its TPID is the ethertype', () => {
  const skb = skbOf(
    emitEthernet({
      dst: OURS,
      src: PEER,
      tags: [{ tpid: 0x8100, priority: 0, dropEligible: false, id: 5 }],
      type: 0x800,
      payload: hex(''),
    }),
  );
  skb.vlan = 0x88a80007 | 0;
  expect([etherLink.read(skb, device()), skb.vlan, skb.protocol, bytesOf(skb)]).toEqual([true, 0x88a80007 | 0, 0x8100, hex('0005 0800')]);
});

test.each([
  ['', 'nothing'],
  ['020000000001 020000000002 08', 'cut off'],
  ['020000000001 020000000002 0026 4242 03', 'a length for a type'],
  ['020000000001 020000000002 05ff 00', 'the longest length'],
  ['020000000001 020000000002 8100 0007 08', 'cut off behind a tag'],
  ['020000000001 020000000002 8100 0007 0026 42', 'a length behind a tag'],
])('refused: %s', (bytes) => {
  const skb = skbOf(hex(bytes));
  expect([etherLink.read(skb, device()), skb.len]).toEqual([false, hex(bytes).length]);
});

test('refused: a tag in a head that is shared, and for which there is no memory', () => {
  const frame = emitEthernet({
    dst: OURS,
    src: PEER,
    tags: [{ tpid: 0x8100, priority: 0, dropEligible: false, id: 5 }],
    type: 0x800,
    payload: hex(''),
  });
  const skb = skbOf(frame, false);
  expect([etherLink.read(skb, device()), bytesOf(skb)]).toEqual([false, frame]);
});

test('garbage: nothing is thrown, and what lies behind the end changes nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const results = [0, 0xff].map((fill) => {
        const skb = skbOf(bytes);
        skb.memory.bytes.fill(fill, skb.tail);
        return [etherLink.read(skb, device()), skb.protocol, skb.type, skb.vlan, skb.len];
      });
      expect(results[0]).toEqual(results[1]);
    }),
    { numRuns: 1000 },
  );
});
