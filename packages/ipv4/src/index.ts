export { IP_OPTION } from '@softnet/contract';
export * from './arp/wire.ts';
export { emitIgmp, IGMP_TYPE, type IgmpMessage, type IgmpQuery, type IgmpRecord, parseIgmp } from './igmp/wire.ts';
export { Ipv4Module } from './module.ts';
export { IP_GROUP_OPTION } from './socket/group-options.ts';
