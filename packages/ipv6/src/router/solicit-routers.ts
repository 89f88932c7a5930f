import type { AddressWords } from '@softnet/contract';
import { ICMPV6_TYPE, viewOf } from '@softnet/wire';
import { ALL_ROUTERS } from '../machine/address-kind.ts';
import type { Link } from '../machine/surroundings.ts';
import { linkAddressOptionBytes, ND_OPTION, writeLinkAddressOption } from '../wire/neighbour-option.ts';
import type { NdSender } from './nd-sender.ts';
import { linkLocalOf } from './nd-sender.ts';

const UNSPECIFIED: AddressWords = Object.freeze([0, 0, 0, 0] as const);

/** A router solicitation (RFC 4861 §4.1): with the link address, unless there is no address to go with it. */
export function solicitRouters(sender: NdSender, link: Link): void {
  const source = linkLocalOf(link);
  const { address, addressLen } = link.device;
  const payload = new Uint8Array(source === null || addressLen === 0 ? 0 : linkAddressOptionBytes(addressLen));
  if (payload.length > 0) writeLinkAddressOption(viewOf(payload), 0, ND_OPTION.SOURCE_LINK_ADDRESS, address, addressLen);
  const message = { type: ICMPV6_TYPE.ROUTER_SOLICITATION, code: 0, rest: 0, payload };
  sender.send(link, source?.address ?? UNSPECIFIED, ALL_ROUTERS, message);
}
