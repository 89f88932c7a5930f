import { CubicModule, RenoModule } from '@softnet/congestion';
import type { ModuleSource } from '@softnet/kernel';
import { TcpModule } from '@softnet/tcp';

/** TCP, and how it behaves in a crowd. */
export const TCP_MODULES: readonly ModuleSource[] = Object.freeze([RenoModule, CubicModule, TcpModule]);
