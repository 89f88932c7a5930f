import type { LinkLayer, NetDevice, Skb } from '@softnet/contract';
import { SKB_TYPE } from '@softnet/contract';
import { ETHERNET_DST, ETHERNET_HEADER_BYTES, ETHERNET_MIN_TYPE, ETHERNET_SRC, ETHERNET_TYPE, setEthernetType } from './ethernet.ts';
import { isMac, MAC_BYTES, putMac } from './mac-address.ts';
import { isVlanTpid, setVlanTag, VLAN_TAG_BYTES, vlanTag } from './vlan-tag.ts';

/**
 * How frames look on Ethernet, for all its drivers: Ethernet II (RFC 894, RFC 2464 §3). It refuses what is shorter than
 * its header, frames whose type is a length (IEEE 802.3 with LLC: nobody here speaks it), and a tag that is cut off.
 */
export const etherLink: LinkLayer = Object.freeze({
  addressLen: MAC_BYTES,
  headerBytes: ETHERNET_HEADER_BYTES,
  write: writeEthernet,
  read: readEthernet,
});

/** Sets `skb.protocol` besides: taps and segmentation ask for it. */
function writeEthernet(skb: Skb, device: NetDevice, ethertype: number, destination: Uint8Array, source: Uint8Array | null): void {
  const { view } = skb.memory;
  const mac = skb.data - ETHERNET_HEADER_BYTES;
  skb.data = mac;
  skb.len += ETHERNET_HEADER_BYTES;
  skb.mac = mac;
  skb.protocol = ethertype;
  putMac(view, mac + ETHERNET_DST, destination);
  putMac(view, mac + ETHERNET_SRC, source ?? device.address);
  setEthernetType(view, mac, ethertype);
}

/**
 * The header, and the outermost tag that may be there, lie in the head (who receives gathers them). One tag is taken off the
 * frame into `skb.vlan`: where a device did that already, the next one stays, and its TPID is the ethertype.
 */
function readEthernet(skb: Skb, device: NetDevice): boolean {
  const { view } = skb.memory;
  const { data, tail } = skb;
  if (tail - data < ETHERNET_HEADER_BYTES) return false;
  let type = view.getUint16(data + ETHERNET_TYPE);
  let mac = data;
  if (isVlanTpid(type) && skb.vlan === 0) {
    if (tail - data < ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES) return false;
    if (view.getUint16(data + ETHERNET_TYPE + VLAN_TAG_BYTES) < ETHERNET_MIN_TYPE) return false;
    if (!skb.memory.pool.makeRoom(skb, 0, 0)) return false;
    mac = takeTag(skb);
    type = skb.memory.view.getUint16(mac + ETHERNET_TYPE);
  } else if (type < ETHERNET_MIN_TYPE) return false;
  skb.protocol = type;
  skb.mac = mac;
  skb.type = destinationType(skb.memory.view, mac, device);
  skb.network = mac + ETHERNET_HEADER_BYTES;
  skb.len -= skb.network - skb.data;
  skb.data = skb.network;
  return true;
}

/** The addresses move up over the tag. Returns where the header is now; `data` stays. */
function takeTag(skb: Skb): number {
  const { bytes, view } = skb.memory;
  skb.vlan = vlanTag(view, skb.data + ETHERNET_TYPE);
  const mac = skb.data + VLAN_TAG_BYTES;
  bytes.copyWithin(mac, skb.data, skb.data + ETHERNET_TYPE);
  return mac;
}

/** For whom the frame is (IEEE 802: the I/G bit; all ones is broadcast). */
function destinationType(view: DataView, mac: number, device: NetDevice): number {
  const first = view.getInt32(mac);
  if ((first & 0x01000000) !== 0) {
    return first === -1 && view.getUint16(mac + 4) === 0xffff ? SKB_TYPE.BROADCAST : SKB_TYPE.MULTICAST;
  }
  return isMac(view, mac, device.address) ? SKB_TYPE.HOST : SKB_TYPE.OTHERHOST;
}

/**
 * Puts `skb.vlan` into a frame that begins at `data` = `mac`, for devices that do not do it themselves. The head is the skb's own,
 * with headroom of {@link VLAN_TAG_BYTES}. Linux's `vlan_insert_tag`.
 */
export function insertVlanTag(skb: Skb): void {
  const { bytes, view } = skb.memory;
  const mac = skb.data - VLAN_TAG_BYTES;
  bytes.copyWithin(mac, skb.data, skb.data + ETHERNET_TYPE);
  setVlanTag(view, mac + ETHERNET_TYPE, skb.vlan);
  skb.data = mac;
  skb.mac = mac;
  skb.len += VLAN_TAG_BYTES;
  skb.vlan = 0;
}
