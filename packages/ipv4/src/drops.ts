import type { DropReason } from '@softnet/contract';
import { ICMP_QUOTE_FAULT, ICMPV4_FAULT, IPV4_FAULT } from '@softnet/wire';
import { ARP_FAULT } from './arp/wire.ts';

/** Why packets are dropped here; the faults of headers come with their tables. */
const OURS = {
  'ipv4.source-route': 'its options choose its way: refused (RFC 7126 §4.3, §4.4)',
  'ipv4.source-route-failed': 'it names a next hop that cannot be reached (RFC 1812 §5.2.7.1)',
  'ipv4.reverse-path': 'from a source that is reached another way, or none (RFC 3704): net.ipv4.conf.*.rp_filter',
  'ipv4.martian-source': 'from an address that no host on a link has (RFC 1812 §5.3.7)',
  'ipv4.martian-destination': 'to an address that is on no link (RFC 1812 §5.3.7)',
  'ipv4.unicast-by-broadcast': 'to one host, in a frame to many (RFC 1122 §3.3.6)',
  'ipv4.no-group': 'to a multicast group that nobody here has joined (RFC 1112 §7.2)',
  'ipv4.no-route': 'to nowhere: no route (RFC 1812 §5.2.7.1)',
  'ipv4.not-forwarding': 'for another host, and net.ipv4.conf.*.forwarding is off (RFC 1122 §3.3.1.1)',
  'ipv4.link-local': 'from or to a link-local address, and for another link (RFC 3927 §7)',
  'ipv4.ttl': 'its time to live is over (RFC 1812 §5.3.1)',
  'ipv4.too-big': 'larger than the MTU of its next link, and not to be cut (RFC 1191 §4)',
  'ipv4.too-long': 'more than 65,535 bytes with its header (RFC 791 §3.1)',
  'ipv4.segment': 'stands for several packets, of a protocol that nobody cuts, or has no header where it should',
  'ipv4.self-copies': 'a copy for this host itself: too many wait, or the layer stops',
  'ipv4.no-memory': 'memory is out, or headers do not fit into a buffer',
  'ipv4.no-device': 'its route leads to no device',
  'ipv4.no-neighbour': 'its next hop has no place in the neighbour table, or no protocol',
  'ipv4.neighbour-failed': 'its next hop did not answer (RFC 1122 §2.3.2.1)',
  'ipv4.hook-lost': 'a hook gave it back too late, or repeats for ever',
  'ipv4.no-protocol': 'no module speaks its protocol (RFC 1122 §3.2.2.1)',
  'ipv4.no-ports': 'its protocol takes nobody new',
  'ipv4.fragment-overlap': 'its datagram is dropped: fragments lie over one another (RFC 1858, RFC 5722)',
  'ipv4.fragment-duplicate': 'a fragment that is there already',
  'ipv4.fragment-too-big': 'a fragment that reaches over 65,535 bytes (RFC 791 §3.2)',
  'ipv4.fragment-timeout': 'the other fragments did not come in time (RFC 1122 §3.3.2)',
  'ipv4.fragment-limit': 'fragments waited that gave way to others, or were too many',
  'ipv4.fragment-distance': 'its sender has sent so much since that its identification means another datagram',
  'ipv4.fragment-ecn': 'some of its fragments say that their sender knows ECN, and others not (RFC 3168 §5.3)',
  'ipv4.fragment-malformed': 'a fragment without bytes, or not the last and no multiple of 8 long (RFC 791 §3.2)',
  'icmpv4.echo-ignored': 'an echo request that settings say to leave unanswered (RFC 1122 §3.2.2.6)',
  'icmpv4.unmatched': 'a reply that nobody here waits for, or an error about a packet of no flow (RFC 5927 §4)',
  'icmpv4.foreign-quote': 'an error about a packet that this host did not send (RFC 5927 §4)',
  'icmpv4.group-quote': 'an error about a packet to many, or sent to many itself: none is to be sent (RFC 1122 §3.2.2)',
  'icmpv4.quote-short': 'less than 8 bytes are quoted of what the packet had behind its header (RFC 792)',
  'icmpv4.redirect-off': 'a redirect, and settings say not to heed any: accept_redirects, or this is a router (RFC 1812 §5.2.7.2)',
  'icmpv4.redirect-stranger': 'a redirect of a host that is not the present gateway (RFC 1122 §3.2.2.2)',
  'icmpv4.redirect-gateway': 'a redirect to a gateway that is not on the link, no single host, or this one (RFC 1122 §3.2.2.2)',
  'icmpv4.obsolete': 'a type that once meant something: source quench, address mask ... (RFC 6633, RFC 6918)',
  'icmpv4.router-discovery': 'a router advertisement or solicitation: not spoken here (RFC 1256)',
  'icmpv4.type': 'a type, or a code, that nobody handles (RFC 1122 §3.2.2)',
  'icmpv4.limited': 'a reply: more than net.ipv4.icmp_ratelimit and icmp_msgs_per_sec allow',
  'icmpv4.no-way-back': 'there is no route to its sender',
  'arp.no-arp': 'on a device that has no ARP',
  'arp.own': 'this host sent it itself: a bridge or a hub brings it back (RFC 5227 §2.1.1)',
  'arp.target': 'asks for an address that is no single host of a link (RFC 1122 §3.2.1.3)',
  'arp.target-mismatch': 'a reply, for another than this host (RFC 826)',
  'arp.gratuitous': 'its sender announces himself, and settings say not to listen: drop_gratuitous_arp',
  'arp.ignored': 'asks for an address of ours that arp_ignore keeps silent about',
  'arp.filtered': 'its answer would leave by another device: arp_filter',
  'arp.unasked': 'a reply of somebody whom nobody asked (RFC 5227 §3)',
  'arp.conflict': 'another host uses an address of ours (RFC 5227 §2.4)',
} as const;

const TEXTS = { ...IPV4_FAULT, ...ICMPV4_FAULT, ...ICMP_QUOTE_FAULT, ...ARP_FAULT, ...OURS } as const;

/** A drop reason for each way to lose a packet. */
export type Ipv4Drops = Readonly<Record<keyof typeof TEXTS, DropReason>>;

/** @param register `ctx.dropReason`. */
export function defineDrops(register: (name: string, text: string) => DropReason): Ipv4Drops {
  return Object.freeze(Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [name, register(name, text)]))) as Ipv4Drops;
}
