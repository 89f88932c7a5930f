import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';

/** One way to have bytes sent back. */
export interface EchoStyle {
  /** Of its counters: 'udp4'. */
  readonly label: 'ping4' | 'ping6' | 'udp4' | 'udp6';
  /** For lists of holders. */
  readonly program: string;
  readonly family: number;
  readonly protocol: number;
  /** 0: it has none. */
  readonly port: number;
  /** Bytes that the program writes before what is echoed. */
  readonly headerBytes: number;
  /** What the first byte is in a request, and in its answer; undefined: what is echoed begins there. */
  readonly types: { readonly request: number; readonly reply: number } | undefined;
}

/** RFC 862. */
const ECHO_PORT = 7;
/** RFC 792, RFC 4443 §4: type, code, checksum, identifier, sequence. The socket's layer writes all but type and sequence. */
const ICMP_BYTES = 8;

const udp = { protocol: IP_PROTOCOL.UDP, port: ECHO_PORT, headerBytes: 0, types: undefined } as const;
const ping = { port: 0, headerBytes: ICMP_BYTES } as const;

/** All four: both families, pings and datagrams. */
export const ECHO_STYLES: readonly EchoStyle[] = Object.freeze([
  {
    ...{ ...ping, label: 'ping4', program: 'pinger IPv4', family: ADDRESS_FAMILY.INET },
    ...{ protocol: IP_PROTOCOL.ICMP, types: { request: 8, reply: 0 } },
  },
  {
    ...{ ...ping, label: 'ping6', program: 'pinger IPv6', family: ADDRESS_FAMILY.INET6 },
    ...{ protocol: IP_PROTOCOL.ICMPV6, types: { request: 128, reply: 129 } },
  },
  { ...udp, label: 'udp4', program: 'client IPv4', family: ADDRESS_FAMILY.INET },
  { ...udp, label: 'udp6', program: 'client IPv6', family: ADDRESS_FAMILY.INET6 },
]);
