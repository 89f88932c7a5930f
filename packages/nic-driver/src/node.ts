export type { DatagramAddress, DatagramPath, Endpoint } from './qemu/endpoint.ts';
export type { QemuOptions } from './qemu/module.ts';
export { QemuModule } from './qemu/module.ts';
export type { TapOptions } from './tap/module.ts';
export { TapModule } from './tap/module.ts';
