export { default } from './module.ts';
export * from './socket.ts';
