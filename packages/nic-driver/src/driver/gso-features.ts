import { DEVICE_FEATURE } from '@softnet/contract';

/** Bursts of any sort (`skb.gsoType`). */
export const GSO_FEATURES: number =
  DEVICE_FEATURE.GSO_TCPV4 |
  DEVICE_FEATURE.GSO_TCPV6 |
  DEVICE_FEATURE.GSO_UDP |
  DEVICE_FEATURE.GSO_TCP_ECN |
  DEVICE_FEATURE.GSO_TUNNEL |
  DEVICE_FEATURE.GSO_ANY;
