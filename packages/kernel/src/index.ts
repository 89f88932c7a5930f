export type * from './api.ts';
export { Kernel, type Sysctl } from './kernel.ts';
export type { KernelEvent, KernelListener } from './kernel-events.ts';
export type { KernelOptions } from './kernel-options.ts';
export type { CounterInfo } from './registries/counters.ts';
export type { LogEntry } from './registries/journal.ts';
export type { SettingRow } from './settings/sysctl-tree.ts';
export { World, type WorldOptions } from './time/world.ts';
