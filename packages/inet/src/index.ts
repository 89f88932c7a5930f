export { Cutter } from './cut.ts';
export { DATAGRAM_NEEDS } from './datagram/datagram-needs.ts';
export type { DatagramProtocol, DatagramReasons } from './datagram/datagram-protocol.ts';
export { DatagramSockets } from './datagram/datagram-sockets.ts';
export { Delivery, type DeliveryReasons } from './delivery.ts';
export { dissectEcho, EchoProtocol, type EchoReasons } from './echo-protocol.ts';
export { LayerHooks, type LayerSteps } from './layer-hooks.ts';
export { Reassembly, type ReassemblyReasons, type ReassemblySpec } from './reassembly.ts';
export { TokenBucket } from './token-bucket.ts';
