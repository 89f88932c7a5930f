export { Ipv4Module } from './module.ts';
export { IP_OPTION } from './socket/ip-options.ts';
export * from './wire.ts';
