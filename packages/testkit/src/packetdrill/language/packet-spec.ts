/** A packet as scripts write it. Null: nothing is said of it, so nothing is asked. */
export interface PacketSpec {
  readonly direction: 'in' | 'out';
  /** Outer headers, outermost first. */
  readonly outer: readonly OuterHeader[];
  readonly ip: IpSpec;
  readonly upper: UpperSpec;
}

export type OuterHeader =
  | { readonly kind: 'ipv4' | 'ipv6'; readonly src: string; readonly dst: string }
  | { readonly kind: 'gre'; readonly flags: number; readonly protocol: number; readonly key: number | null }
  | { readonly kind: 'mpls'; readonly stack: readonly MplsLabel[] };

export interface MplsLabel {
  readonly label: number;
  readonly tc: number;
  readonly bottom: boolean;
  readonly ttl: number;
}

export const ECN_NAMES = Object.freeze(['noecn', 'ect1', 'ect0', 'ce', 'ect01'] as const);
/** `ect01`: either. */
export type EcnName = (typeof ECN_NAMES)[number];

export interface IpSpec {
  readonly ecn: EcnName | null;
  readonly tos: number | null;
  /** TTL, or hop limit. */
  readonly ttl: number | null;
  readonly flowLabel: number | null;
  /** In how many fragments it comes. Ours: packetdrill has no word for it. */
  readonly frags: number | null;
}

export type UpperSpec = TcpSpec | UdpSpec | IcmpSpec;

/** Both ports, where a packet names them. */
export interface PortsSpec {
  readonly src: number;
  readonly dst: number;
}

/** `seq:end(len)`. */
export interface SeqSpec {
  readonly seq: number;
  readonly end: number;
  readonly lenBytes: number;
}

export interface TcpSpec extends SeqSpec {
  readonly kind: 'tcp';
  readonly ports: PortsSpec | null;
  /** Letters of `FSRPEWUA` and the dot of ACK, in that order. */
  readonly flags: string;
  /** AccECN's counter, in the place of A, W and E (RFC 9768 §3.1). */
  readonly ace: number | null;
  readonly ack: number | null;
  readonly window: number | null;
  readonly urgent: number | null;
  /** Null: `<...>`, any. */
  readonly options: readonly TcpOptionSpec[] | null;
}

export type TcpOptionSpec =
  | { readonly kind: 'nop' | 'eol' | 'sackOK' }
  | { readonly kind: 'mss' | 'wscale'; readonly value: number }
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [left: number, right: number])[] }
  | { readonly kind: 'TS'; readonly value: number; readonly echo: number }
  /** A cookie of hexadecimal digits; '': it is asked for. */
  | { readonly kind: 'FO' | 'FOEXP'; readonly cookie: string }
  | { readonly kind: 'md5'; readonly digest: string }
  | { readonly kind: 'ECN'; readonly counters: readonly (readonly [name: string, bytes: number])[] };

export interface UdpSpec {
  readonly kind: 'udp';
  readonly ports: PortsSpec | null;
  readonly lenBytes: number;
}

export interface IcmpSpec {
  readonly kind: 'icmp';
  readonly version: 4 | 6;
  /** Names of `ICMP_WORDS`, or numbers. */
  readonly type: string | number;
  readonly code: string | number | null;
  readonly mtu: number | null;
  readonly id: number | null;
  readonly seq: number | null;
  /** Bytes behind the header, of an echo; null: as long as its quote is. */
  readonly lenBytes: number | null;
  readonly quoted: QuotedSpec | null;
}

export type QuotedSpec = { readonly protocol: 'udp'; readonly lenBytes: number } | ({ readonly protocol: 'tcp' } & SeqSpec);

/** TCP's flags in the order in which they are written, and their bits. */
export const FLAG_BITS: ReadonlyMap<string, number> = new Map([
  ['F', 0x01],
  ['S', 0x02],
  ['R', 0x04],
  ['P', 0x08],
  ['E', 0x40],
  ['W', 0x80],
  ['U', 0x20],
  ['A', 0x100],
  ['.', 0x10],
]);
