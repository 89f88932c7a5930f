import { ADDRESS_FAMILY, SockAddress } from '@softnet/contract';
import { formatAddress, parseAddress } from '@softnet/wire';

const { UNSPEC, INET, INET6, PACKET } = ADDRESS_FAMILY;
/** `struct sockaddr_in`, `sockaddr_in6`, `sockaddr_ll`. */
const IN_BYTES = 16;
const IN6_BYTES = 28;
const LL_BYTES = 20;
/** What Linux wants of the latter two at least: RFC 2133's form, and a link address of six bytes. */
const IN6_LEAST_BYTES = 24;
const LL_LEAST_BYTES = 18;
const IPV4_PREFIX = 0xffff;

/**
 * An address of text and a port, as a record that calls take. `'::'` and `'0.0.0.0'` are any; a zone is an interface's number: `'fe80::1%2'`.
 * Null: the text is no address.
 */
export function socketAddress(text: string, port: number): SockAddress | null {
  const [host = '', zone = '0', more] = text.split('%');
  const parsed = parseAddress(host);
  if (parsed === null || more !== undefined || !/^\d+$/.test(zone)) return null;
  const address = new SockAddress();
  address.family = parsed.family;
  [address.address0, address.address1, address.address2, address.address3] = parsed.words;
  address.port = port;
  address.ifindex = Number(zone);
  return address;
}

/** '10.0.0.1', '2001:db8::1', 'fe80::1%2'. */
export function addressText({ family, address0, address1, address2, address3, ifindex }: SockAddress): string {
  const text = formatAddress(family, address0, address1, address2, address3);
  return ifindex === 0 ? text : `${text}%${ifindex}`;
}

/** From the bytes of a `struct sockaddr_in`, `_in6`, `_ll`, or of AF_UNSPEC; null: too short, or of another family. */
export function readSockaddr(bytes: Uint8Array): SockAddress | null {
  if (bytes.length < 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const address = new SockAddress();
  address.family = view.getUint16(0, true);
  if (address.family === UNSPEC) return address;
  if (address.family === PACKET) return bytes.length < LL_LEAST_BYTES ? null : readLink(view, address);
  if (bytes.length < (address.family === INET ? IN_BYTES : IN6_LEAST_BYTES)) return null;
  address.port = view.getUint16(2);
  if (address.family === INET) {
    address.address3 = view.getInt32(4);
    address.address2 = address.address3 === 0 ? 0 : IPV4_PREFIX;
    return address;
  }
  if (address.family !== INET6) return null;
  [address.address0, address.address1, address.address2, address.address3] = [8, 12, 16, 20].map((at) => view.getInt32(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (bytes.length >= IN6_BYTES) address.ifindex = view.getUint32(24, true);
  return address;
}

function readLink(view: DataView, address: SockAddress): SockAddress {
  address.port = view.getUint16(2);
  address.ifindex = view.getInt32(4, true);
  address.address0 = (view.getUint16(8, true) << 16) | (view.getUint8(10) << 8) | view.getUint8(11);
  address.address1 = view.getInt32(12);
  address.address2 = view.byteLength >= LL_BYTES ? view.getInt32(16) : view.getUint16(16) << 16;
  return address;
}

/** The bytes of a `struct sockaddr_*`; of a family that has none here only the family. */
export function writeSockaddr(address: SockAddress): Uint8Array {
  const { family } = address;
  const bytes = new Uint8Array(family === INET ? IN_BYTES : family === INET6 ? IN6_BYTES : family === PACKET ? LL_BYTES : 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  if (bytes.length === 2) return bytes;
  view.setUint16(2, address.port);
  if (family === INET) view.setInt32(4, address.address3);
  else if (family === INET6) {
    for (const [i, word] of [address.address0, address.address1, address.address2, address.address3].entries())
      view.setInt32(8 + 4 * i, word);
    view.setUint32(24, address.ifindex, true);
  } else {
    view.setInt32(4, address.ifindex, true);
    view.setUint16(8, address.address0 >>> 16, true);
    view.setUint8(10, address.address0 >>> 8);
    view.setUint8(11, address.address0);
    view.setInt32(12, address.address1);
    view.setInt32(16, address.address2);
  }
  return bytes;
}
