import type { LinkLayer } from '@softnet/contract';
import { ETHERTYPE, SKB_TYPE } from '@softnet/contract';

/** Packets without a link header: the first four bits say what they are. */
export const tubeLink: LinkLayer = Object.freeze({
  addressLen: 0,
  headerBytes: 0,
  write: (skb, _device, ethertype) => {
    skb.mac = skb.data;
    skb.protocol = ethertype;
  },
  read: (skb) => {
    if (skb.tail === skb.data) return false;
    const version = skb.memory.view.getUint8(skb.data) >>> 4;
    if (version !== 4) return false;
    skb.mac = skb.data;
    skb.network = skb.data;
    skb.protocol = ETHERTYPE.IPV4;
    skb.type = SKB_TYPE.HOST;
    return true;
  },
} satisfies LinkLayer);
