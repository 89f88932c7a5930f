import type { Flow, InterfaceAddress } from '@softnet/contract';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Link } from '../machine/surroundings.ts';

/** Who is told what neighbours say of addresses of this host. Nobody takes a packet. */
export interface OwnAddressNews {
  /**
   * A solicitation from :: for an address that is tentative (RFC 4862 §5.4.3).
   * @param nonceAt where its nonce stands in `bytes`, which is so many bytes long; -1: it has none (RFC 7527).
   */
  probed(address: InterfaceAddress, bytes: Uint8Array, nonceAt: number, nonceBytes: number): Ipv6Reason;
  /** An advertisement of another for it, tentative or not (RFC 4862 §5.4.4), or a packet whose source it is. */
  claimed(address: InterfaceAddress): Ipv6Reason;
  /** An anycast address of the link is asked for: the flow's source. The answer goes out after a while (RFC 4861 §7.2.7). */
  askedAnycast(link: Link, flow: Flow, flags: number): void;
}
