import type { Skb, SockCommon } from '@softnet/contract';
import { ipv4Ttl, ipv6HopLimit } from '@softnet/wire';

/** What layers keep for streams, under names of their own: IP_MINTTL and IPV6_MINHOPCOUNT. */
interface LeastHops {
  readonly minTtl?: number;
  readonly minHopCount?: number;
}

/** RFC 5082 (GTSM): did it come from as near as its socket wants? */
export function isNearEnough({ options }: SockCommon, { memory: { view }, network }: Skb): boolean {
  if (options === null || (options.layer === null && options.mappedLayer === null)) return true;
  const own = options.layer as LeastHops | null;
  const mapped = options.mappedLayer as LeastHops | null;
  if (view.getUint8(network) >>> 4 === 4) return ipv4Ttl(view, network) >= (own?.minTtl ?? mapped?.minTtl ?? 0);
  return ipv6HopLimit(view, network) >= (own?.minHopCount ?? 0);
}
