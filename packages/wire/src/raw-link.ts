import type { LinkLayer, NetDevice, Skb } from '@softnet/contract';
import { ETHERTYPE, SKB_TYPE } from '@softnet/contract';
import { ipv4Version } from './ipv4.ts';

/**
 * Links without header and addresses, which carry IP packets of either version as they are: TUN, tunnels, PPP's kin. It refuses what
 * is of neither version, which a packet's first four bits say.
 */
export const rawLink: LinkLayer = Object.freeze({ addressLen: 0, headerBytes: 0, write: writeRaw, read: readRaw });

/** Sets `skb.protocol` besides: taps and segmentation ask for it. */
function writeRaw(skb: Skb, _device: NetDevice, ethertype: number): void {
  skb.mac = skb.data;
  skb.protocol = ethertype;
}

/** The packet's first byte lies in the head. It is for this host, or for whomever its network layer says. */
function readRaw(skb: Skb): boolean {
  const { data, tail } = skb;
  const version = data < tail ? ipv4Version(skb.memory.view, data) : 0;
  if (version !== 4 && version !== 6) return false;
  skb.protocol = version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
  skb.mac = data;
  skb.network = data;
  skb.type = SKB_TYPE.HOST;
  return true;
}
