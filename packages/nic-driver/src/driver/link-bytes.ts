import { ETHERNET_HEADER_BYTES, VLAN_TAG_BYTES } from '@softnet/wire';

/** What a frame may have beside its MTU: Ethernet's header, and one VLAN tag. */
export const LINK_BYTES: number = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES;
