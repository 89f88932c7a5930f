import type { DropReason } from '@softnet/contract';
import { ICMP_QUOTE_FAULT, ICMPV6_FAULT, IPV6_EXTENSION_FAULT, IPV6_FAULT } from '@softnet/wire';
import { ND_FAULT } from '../wire/neighbour-message.ts';

const OWN = {
  'ipv6.other-host': 'a frame for another host, which only captures see',
  'ipv6.device': 'IPv6 is not on this device: its MTU is below 1280 (RFC 8200 §5)',
  'ipv6.source': 'a source that nobody can have: a group, or of another host, or IPv4-mapped (RFC 4291 §2.5, §2.7)',
  'ipv6.destination':
    'a destination that is never on a wire: unspecified, loopback, IPv4-mapped or of a reserved scope (RFC 4291 §2.5, §2.7)',
  'ipv6.not-a-member': 'to a group that this host has not joined there (RFC 4291 §2.8)',
  'ipv6.not-here': 'to a link-local address of another interface (RFC 4007 §9)',
  'ipv6.no-route': 'there is no way to its destination (RFC 4443 §3.1)',
  'ipv6.blackhole': 'a route says to drop it without a word',
  'ipv6.not-forwarding': 'for another host, and this one forwards nothing: net.ipv6.conf.all.forwarding (RFC 8200 §1)',
  'ipv6.hop-limit': 'its hop limit ran out (RFC 8200 §3)',
  'ipv6.scope': 'its source or destination must not leave its link (RFC 4007 §9, RFC 4291 §2.5.6)',
  'ipv6.too-big': 'longer than the way carries; only its sender may cut it (RFC 8200 §5)',
  'ipv6.too-long': 'longer than a payload length can say (RFC 8200 §3)',
  'ipv6.dont-fragment': 'longer than the way carries, and its socket wants no fragments (RFC 3542 §11.2)',
  'ipv6.option-action': 'an option that is not known and says to be discarded with its packet (RFC 8200 §4.2)',
  'ipv6.option-value': 'an option that is known, of a length or at a place that it cannot have (RFC 2711 §2.1, RFC 2675 §2)',
  'ipv6.jumbo': 'a jumbo payload: of 65,535 bytes or less, beside a payload length, or more than any link here carries (RFC 2675)',
  'ipv6.unicast-by-multicast': 'to one host, in a frame to many: net.ipv6.conf.*.drop_unicast_in_l2_multicast',
  'ipv6.routing-type': 'a routing header with segments left, of a type that is not followed (RFC 8200 §4.4, RFC 5095)',
  'ipv6.no-next-header': 'nothing follows its headers (RFC 8200 §4.7)',
  'ipv6.no-protocol': 'a next header that no module knows (RFC 8200 §4)',
  'ipv6.no-ports': 'its protocol takes nobody new (or no memory was left), and it is nobody else’s',
  'ipv6.fragment-length': 'a fragment with more to follow whose length is no multiple of 8, or an empty one (RFC 8200 §4.5)',
  'ipv6.fragment-too-big': 'fragments of more than 65,535 bytes (RFC 8200 §4.5)',
  'ipv6.fragment-chain': 'a first fragment without the whole header chain (RFC 7112 §5)',
  'ipv6.fragment-overlap': 'fragments that overlap, and all of their datagram (RFC 5722)',
  'ipv6.fragment-duplicate': 'the same fragment again (RFC 8200 §4.5)',
  'ipv6.fragment-timeout': 'not all fragments came in time: net.ipv6.ip6frag_time (RFC 8200 §4.5)',
  'ipv6.fragment-ecn': 'some of its fragments say that their sender knows ECN, and others not (RFC 3168 §5.3)',
  'ipv6.fragment-limit': 'too many fragments wait: net.ipv6.ip6frag_high_thresh',
  'ipv6.segment': 'stands for several packets, of a protocol that nobody cuts, or has no header where it should',
  'ipv6.no-memory': 'no memory for its headers or fragments',
  'ipv6.no-device': 'the device of its route is gone',
  'ipv6.no-neighbour': 'the neighbour table is full, or nobody keeps one',
  'ipv6.address-unreachable': 'nobody answered neighbor solicitations (RFC 4861 §7.2.2)',
  'ipv6.lost': 'a hook gave it back when the layer had stopped, or repeated it for ever',
  'icmpv6.quote-not-ours': 'an error about a packet that this host did not send (RFC 4443 §2.4)',
  'icmpv6.unmatched': 'an error about a packet of no flow, or of one that cannot have sent it (RFC 5927 §4)',
  'icmpv6.mtu': 'a packet too big with an MTU below 1280 (RFC 8201 §4)',
  'icmpv6.type': 'an informational message of a type that is not known (RFC 4443 §2.4 b)',
  'icmpv6.echo-ignored': 'echo requests are ignored: net.ipv6.icmp.echo_ignore_all',
  'icmpv6.echo-reply': 'an echo reply that nobody waits for (RFC 4443 §4.2)',
  'icmpv6.group-listener': 'multicast listener discovery is not spoken here yet (RFC 3810)',
  'ping.full': 'its user does not take what comes (SO_RCVBUF)',
  'ping.shut': 'its user has shut it',
  'nd.router': 'router discovery and redirects are not followed here yet (RFC 4861 §6, §8)',
  'nd.fragment': 'a message of Neighbor Discovery in fragments, behind which filters cannot look (RFC 6980 §5)',
  'nd.not-ours': 'asks for an address that is not ours on that link (RFC 4861 §7.2.3)',
  'nd.conflict': 'another host speaks by, or says that it has, an address of ours (RFC 4862 §5.4)',
  'nd.no-link-address': 'an advertisement without the link address that is wanted (RFC 4861 §7.2.5)',
} as const;

/** Names and texts of all the reasons that this module drops for. */
export const IPV6_REASON = Object.freeze({
  ...OWN,
  ...IPV6_FAULT,
  ...IPV6_EXTENSION_FAULT,
  ...ICMPV6_FAULT,
  ...ICMP_QUOTE_FAULT,
  ...ND_FAULT,
});
export type Ipv6Reason = keyof typeof IPV6_REASON;
export type Ipv6Reasons = Readonly<Record<Ipv6Reason, DropReason>>;
