export { AddressLives, type AddressLivesHost, setLifetimes } from './address/address-lives.ts';
export { armUntil } from './arm-until.ts';
export { intAt, optionInt, putAddress, putControlMessages, putInt, putOptionInt, putPort, putWord, wordAt } from './control-fields.ts';
export { Cutter } from './cut.ts';
export { errnoOf, layerOf, layerOfUse } from './datagram/datagram-host.ts';
export { DATAGRAM_NEEDS } from './datagram/datagram-needs.ts';
export type { DatagramBursts, DatagramProtocol, DatagramReasons } from './datagram/datagram-protocol.ts';
export { DatagramSockets } from './datagram/datagram-sockets.ts';
export { datagramOptions } from './datagram/datagram-state.ts';
export {
  aimAtAddress,
  aimAtPeer,
  aimByOptions,
  beginFlow,
  isIpv4,
  isUnspecified,
  needsScope,
  pathFamily,
  scopeOf,
  sourceFits,
} from './datagram/destination.ts';
export { clearRemote, clearSource, setLocal, setRemote } from './datagram/end-fields.ts';
export { sentByte } from './datagram/sent-byte.ts';
export { SentControl } from './datagram/sent-control.ts';
export { adoptPacket, copyMessage } from './datagram/user-packet.ts';
export { Delivery, type DeliveryReasons } from './delivery.ts';
export { type ConfJoin, type ConfSpec, DeviceConf } from './device-conf.ts';
export { dissectEcho, EchoProtocol, type EchoReasons } from './echo-protocol.ts';
export { mixHash } from './fragment-hash.ts';
export { HalfSipHash, type SipKey, sipKey } from './half-sip-hash.ts';
export { IcmpAllowance } from './icmp-allowance.ts';
export { LayerHooks, type LayerSteps } from './layer-hooks.ts';
export { GROUP_RECORD } from './multicast/group-changes.ts';
export type { SourceFilter } from './multicast/group-filter.ts';
export { GroupMemberships } from './multicast/group-memberships.ts';
export type { HeardQuery, ReportedRecord, ReporterHost } from './multicast/group-reporter.ts';
export { GroupReporters } from './multicast/group-reporters.ts';
export { GroupRequests, JOIN_ALL, MCAST_OPTION } from './multicast/group-requests.ts';
export { GroupValue } from './multicast/group-value.ts';
export { JoinedEverywhere } from './multicast/joined-everywhere.ts';
export { followOlderGroups } from './multicast/older-groups.ts';
export { packRecords } from './multicast/pack-records.ts';
export { aimAtGroup, groupsOf } from './multicast/socket-groups.ts';
export { type MembershipHost, SocketMemberships } from './multicast/socket-memberships.ts';
export { type SourceList, sourceList } from './multicast/source-list.ts';
export { finishJoin, joinPayload, MERGE_LIMITS } from './offload/join.ts';
export { ProtocolOffloads } from './offload/protocol-offloads.ts';
export { Segmenter, type SegmenterReasons } from './offload/segmenter.ts';
export { segmentBytes, Unmerger } from './offload/unmerger.ts';
export { PeerLimit } from './peer-limit.ts';
export { PeerPlaces } from './peer-places.ts';
export { Reassembly, type ReassemblyReasons, type ReassemblySpec } from './reassembly.ts';
export { SelfCopies } from './self-copies.ts';
export { errorOf, pollErrors, purgeErrors, QueuedError, queueError, quotedError, takeError } from './socket-errors.ts';
export { TokenBucket } from './token-bucket.ts';
