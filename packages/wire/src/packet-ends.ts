import type { FlowKey } from '@softnet/contract';
import { IPV4_WORD2 } from '@softnet/contract';
import { ipv4Dst, ipv4Src } from './ipv4.ts';
import { ipv6Dst, ipv6Src } from './ipv6.ts';

// The addresses of a packet as its receiver names them: local is the destination. Nothing else of the key is written.

/** @param at where the IPv4 header begins. Address 0 is the unspecified one of both families: four zeros. */
export function readIpv4Ends(view: DataView, at: number, key: FlowKey): void {
  const destination = ipv4Dst(view, at);
  const source = ipv4Src(view, at);
  key.local0 = 0;
  key.local1 = 0;
  key.local2 = destination === 0 ? 0 : IPV4_WORD2;
  key.local3 = destination;
  key.remote0 = 0;
  key.remote1 = 0;
  key.remote2 = source === 0 ? 0 : IPV4_WORD2;
  key.remote3 = source;
}

/** @param at where the IPv6 header begins. */
export function readIpv6Ends(view: DataView, at: number, key: FlowKey): void {
  key.local0 = ipv6Dst(view, at, 0);
  key.local1 = ipv6Dst(view, at, 1);
  key.local2 = ipv6Dst(view, at, 2);
  key.local3 = ipv6Dst(view, at, 3);
  key.remote0 = ipv6Src(view, at, 0);
  key.remote1 = ipv6Src(view, at, 1);
  key.remote2 = ipv6Src(view, at, 2);
  key.remote3 = ipv6Src(view, at, 3);
}
