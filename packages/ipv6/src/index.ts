export { IPV6_OPTION as IPV6_OPTION_NAME } from '@softnet/contract';
export { emitMld, type MldMessage, type MldQuery, parseMld } from './mld/wire.ts';
export { Ipv6Module } from './module.ts';
export { IPV6_GROUP_OPTION } from './socket/group-options.ts';
export { NA_FLAG, ND_HOP_LIMIT } from './wire/neighbour-message.ts';
export { emitNeighbour, type NeighbourMessage, parseNeighbour } from './wire/neighbour-value.ts';
export { emitRedirect, parseRedirect, type RedirectMessage } from './wire/redirect-value.ts';
export { emitRouter, parseRouter, type RouterMessage } from './wire/router-value.ts';
