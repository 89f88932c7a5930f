import type { DeviceOps, SkbPool } from '@softnet/contract';
import { ETHERTYPE, NetDevice, PacketMemory, SKB_TYPE, Skb } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawLink } from './raw-link.ts';

function skbOf(bytes: Uint8Array): Skb {
  const memory = new PacketMemory(new Uint8Array(512), {} as SkbPool);
  const skb = new Skb(memory);
  skb.data = 64;
  skb.tail = 64 + bytes.length;
  skb.len = bytes.length;
  memory.bytes.set(bytes, 64);
  return skb;
}
const device = new NetDevice({} as DeviceOps, rawLink);

test('the first four bits say what it is; no byte is taken, added or changed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const skb = skbOf(bytes);
      const version = bytes.length === 0 ? 0 : bytes[0]! >> 4;
      const isIp = version === 4 || version === 6;
      expect(rawLink.read(skb, device)).toBe(isIp);
      expect([skb.data, skb.len]).toEqual([64, bytes.length]);
      if (!isIp) return;
      const protocol = version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
      expect([skb.mac, skb.network, skb.protocol, skb.type]).toEqual([64, 64, protocol, SKB_TYPE.HOST]);
      const sent = skbOf(bytes);
      rawLink.write(sent, device, protocol, device.broadcast, null);
      expect([sent.data, sent.len, sent.mac, sent.protocol]).toEqual([64, bytes.length, 64, protocol]);
      expect(sent.memory.bytes.subarray(64, sent.tail)).toEqual(bytes);
    }),
  );
});

test('a device of it has no addresses', () => expect([device.addressLen, device.address.length, rawLink.headerBytes]).toEqual([0, 0, 0]));
