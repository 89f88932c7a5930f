import type { ModuleClass } from '@softnet/contract';
import type { Bundle } from './api.ts';
import type { LogEntry } from './registries/journal.ts';
import type { AnySettingValue } from './settings/setting-text.ts';
import type { World } from './time/world.ts';

/** How to make a kernel; all of it has defaults. */
export interface KernelOptions {
  /** Its time and chance, shared with the World's other kernels. Default: a real-time World of its own. */
  readonly world?: World;
  /** For errors and lists. Default 'kernel'. */
  readonly name?: string;
  /** Of its chance; together with the World's seed and its name. Default 1. */
  readonly seed?: number;
  /** Values of settings from the start, as if set by hand once a module brings them: a small machine's packet memory. Linux's boot parameters. */
  readonly settings?: Readonly<Record<string, AnySettingValue>>;
  /** Keep the stack of every hold, and catch providers that are used after their module is gone. Default false. */
  readonly debug?: boolean;
  /** How long a hook of a module may take, ms of kernel time. Default 5,000. */
  readonly hookDeadlineMs?: number;
  /** How many throws on the packet path put a module into quarantine. Default 3. */
  readonly quarantineAfter?: number;
  /** Libraries that bundles may `require`, beside `@softnet/contract`. */
  readonly libraries?: Readonly<Record<string, unknown>>;
  /** How a bundle's text becomes its module class. Default: with `new Function`; Node programs give `nodeEvaluate` of `@softnet/kernel/node`. */
  readonly evaluate?: (bundle: Bundle, libraries: Readonly<Record<string, unknown>>) => ModuleClass;
  /** Sees each entry of the log. Default: nobody; the last 500 are kept anyhow. */
  readonly onLog?: (entry: LogEntry) => void;
}
