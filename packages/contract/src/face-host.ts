import type { Clock } from './clock.ts';
import type { Port } from './port.ts';
import type { ServiceToken } from './token.ts';

/** What the faces (posix, node, rings) ask of a kernel: they are programs, no modules. A `Kernel` is one. */
export interface FaceHost {
  readonly name: string;
  readonly clock: Clock;
  /** The way to a service: `Sockets`, `DeviceTraffic`. */
  port<T extends object>(token: ServiceToken<T>): Port<T>;
  /**
   * Calls `then` in `delayUs` of kernel time. @returns how to call it off; does nothing once it has been called.
   * @param place a static name for lists.
   */
  after(delayUs: number, then: () => void, place: string): () => void;
}
