export { TestExchange } from './exchange/module.ts';
export * from './exchange/service.ts';
export * from './link/cable.ts';
export { TestLink } from './link/module.ts';
export * from './link/service.ts';
export { TalkModule } from './talk/module.ts';
export * from './talk/service.ts';
export * from './topology.ts';
export * from './traffic.ts';
