export { SocketModule } from './module.ts';
export { SO, SOL_SOCKET } from './socket-level.ts';
