export { Ipv6Module } from './module.ts';
