export * from './packetdrill/index.ts';
