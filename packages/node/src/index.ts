export type { DgramFace, NodeFaces } from './create-node.ts';
export { createNode } from './create-node.ts';
export type { HostNames, LookupAddress, LookupCallback, LookupFunction } from './endpoint/lookup.ts';
export { tableLookup } from './endpoint/lookup.ts';
export type { NodeOptions } from './endpoint/node-host.ts';
