export { UdpEchoModule } from './echo/module.ts';
export { UdpModule } from './module.ts';
export { SOL_UDP, UDP_OPTION } from './udp-options.ts';
