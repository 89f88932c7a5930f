import { Held } from '@softnet/contract';

/**
 * Stands for a device for the moment in which it changes generations: the device itself stays one and the same object, as all who
 * have it expect, and takes this one's place (`Objects.succeed`).
 */
export class MovedDevice extends Held {
  readonly ifindex: number;

  constructor(ifindex: number) {
    super();
    this.ifindex = ifindex;
  }
}
