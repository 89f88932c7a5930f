export { PacketModule } from './module.ts';
