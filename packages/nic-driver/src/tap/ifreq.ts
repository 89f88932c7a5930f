import { NetError } from '@softnet/contract';

/** `struct ifreq` of <linux/if.h>: a name of 16 bytes, then a union. 40 bytes where pointers have 8. */
export const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
/** In the union: `ifr_flags`, and the bytes of `ifr_hwaddr` behind its family. */
const FLAGS = NAME_BYTES;
const ADDRESS = NAME_BYTES + 2;

/** Flags of TUNSETIFF: IP packets or Ethernet frames, several queues, nothing before a frame, or a `virtio_net_hdr`. */
export const IFF_TUN = 0x0001;
export const IFF_TAP = 0x0002;
export const IFF_MULTI_QUEUE = 0x0100;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
/** Flags of TUNSETQUEUE. */
export const IFF_ATTACH_QUEUE = 0x0200;
export const IFF_DETACH_QUEUE = 0x0400;

/** An `ifreq` with this name, checked by {@link checkInterfaceName}, and flags, in the host's byte order. */
export function packIfreq(name: string, flags: number): Uint8Array {
  const bytes = new Uint8Array(IFREQ_BYTES);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  new Uint16Array(bytes.buffer, FLAGS, 1)[0] = flags;
  return bytes;
}

/** The name that the kernel wrote into it: 'tap%d' has a number now. */
export function interfaceNameOf(ifreq: Uint8Array): string {
  const end = ifreq.indexOf(0);
  return String.fromCharCode(...ifreq.subarray(0, end < 0 || end > NAME_BYTES ? NAME_BYTES : end));
}

/** `ifr_hwaddr`: six bytes. */
export function hardwareAddressOf(ifreq: Uint8Array): Uint8Array {
  return ifreq.slice(ADDRESS, ADDRESS + 6);
}

/** What Linux takes for the name of an interface (`dev_valid_name`), in ASCII. @throws NetError EINVAL. */
export function checkInterfaceName(name: unknown): string {
  const good = typeof name === 'string' && /^[!-~]{1,15}$/.test(name) && !/[/:]/.test(name) && name !== '.' && name !== '..';
  if (good) return name;
  throw new NetError('EINVAL', `tap: ifname takes 1 to 15 characters without space, '/' and ':', got ${JSON.stringify(name)}`);
}
