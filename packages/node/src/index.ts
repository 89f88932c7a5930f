export type { ConnectionServer, DgramFace, NetFace, NodeFaces } from './create-node.ts';
export { createNode } from './create-node.ts';
export type { HostNames, LookupAddress, LookupCallback, LookupFunction } from './endpoint/lookup.ts';
export { tableLookup } from './endpoint/lookup.ts';
export type { NodeOptions } from './endpoint/node-host.ts';
export type { ReceivedDatagram } from './web/datagram-stream.ts';
