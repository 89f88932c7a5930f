export { UdpEchoModule } from './echo/module.ts';
export { UdpModule } from './module.ts';
