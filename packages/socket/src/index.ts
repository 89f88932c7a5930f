export { SocketModule } from './module.ts';
