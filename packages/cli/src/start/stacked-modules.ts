import type { ModuleSource } from '@softnet/kernel';
import { CaptureModule, FaultModule, TraceModule } from '@softnet/nic-driver';

/** Modules whose devices are stacked on others: not loaded from the beginning, but known by name (`modprobe fault`). */
export const STACKED_MODULES: readonly ModuleSource[] = Object.freeze([FaultModule, TraceModule, CaptureModule]);
