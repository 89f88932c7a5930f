import type { NetDevice } from './device.ts';
import type { Owner } from './held.ts';
import { definePoint } from './token.ts';

/**
 * A kind of devices that are made at run time: `ip link add NAME type KIND`. A **door**: those that it made carry on. Callers:
 * netlink, the command, tests. Linux's `struct rtnl_link_ops`.
 */
export interface DeviceKind {
  /** 'wire', 'tap'. */
  readonly kind: string;
  /**
   * Makes a device and registers it; it is down. The driver holds it, for `owner`, in a kind of its own.
   * @param name at most 15 characters; may end in '%d'.
   * @param options the kind's own: plain data, and objects of the host (a cable, a path of a socket).
   * @throws NetError EINVAL, saying which option; EEXIST; what the host says (EPERM, EBUSY, ENOENT).
   */
  create(name: string, options: object, owner: Owner): NetDevice | Promise<NetDevice>;
}
export const DeviceKind = definePoint<DeviceKind>({ name: 'device-kind', version: '1.0.0' });
