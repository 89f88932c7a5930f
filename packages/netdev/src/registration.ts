import type { NetDevice } from '@softnet/contract';
import { Held } from '@softnet/contract';

/** That a device is registered: what the next generation of the module takes over. The device itself is its driver's. */
export class Registration extends Held {
  readonly device: NetDevice;

  constructor(device: NetDevice) {
    super();
    this.device = device;
  }
}
