import type { NetDevice, Skb } from '@softnet/contract';
import { NetworkLayer, SKB_TYPE, SkbPool } from '@softnet/contract';
import { put } from '@softnet/skb';
import type { NetHost } from '@softnet/testkit';

/** Gives packets to a host as its eth0 does, without a wire: to its first network layer, or to `input`. */
export function inputTo(
  host: NetHost,
  type: number = SKB_TYPE.HOST,
  input?: (skb: Skb, device: NetDevice) => void,
): (packet: Uint8Array) => void {
  const pool = host.kernel.port(SkbPool);
  const device = host.device('eth0');
  const layer = host.kernel.contributions(NetworkLayer).items[0]!;
  return (packet) => {
    const skb: Skb = pool.current.alloc(64, packet.length)!;
    skb.memory.bytes.set(packet, put(skb, packet.length));
    skb.type = type;
    skb.ifindex = device.ifindex;
    if (input === undefined) layer.receive(skb, device);
    else input(skb, device);
  };
}
