import type { NetDevice } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import type { StackedOptions } from '../stacked-options.ts';
import type { FaultCounts } from './fault-line.ts';
import type { FaultChanges, FaultSettings } from './fault-settings.ts';

/** Options of `DeviceKind.create` of kind 'fault'. */
export interface FaultOptions extends StackedOptions, FaultChanges {
  /** Of its chance; an integer. Default 1. */
  readonly seed?: number;
}

/** What can be asked of devices of kind 'fault', and changed while frames pass. A **corridor**. @throws NetError EINVAL for another device. */
export interface Faults {
  /** From the next frame on; what is under way comes out as it would have. @throws NetError EINVAL, saying which; nothing is changed then. */
  set(device: NetDevice, changes: FaultChanges): void;
  settings(device: NetDevice, direction: 'tx' | 'rx'): FaultSettings;
  /** Since the device was made. */
  counts(device: NetDevice, direction: 'tx' | 'rx'): Readonly<FaultCounts>;
}
export const Faults = defineService<Faults>({ name: 'faults', version: '1.0.0' });
