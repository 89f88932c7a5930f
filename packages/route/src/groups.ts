import type { DeviceTraffic, NetDevice, Port } from '@softnet/contract';
import type { Hop } from './hop.ts';
import type { Hops } from './hops.ts';

/** Next hops to groups that need no route: one for each device and kind of group, made at the first packet. */
export class Groups {
  readonly #hops: Hops;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #made = new Map<number, Hop[]>();

  constructor(hops: Hops, traffic: Port<DeviceTraffic>) {
    this.#hops = hops;
    this.#traffic = traffic;
  }

  /** Null: no such device. */
  find(family: number, type: number, ifindex: number): Hop | null {
    const made = this.#made.get(ifindex);
    if (made !== undefined) {
      for (let i = 0; i < made.length; i++) if (made[i]!.spec.type === type && made[i]!.spec.family === family) return made[i]!;
    }
    return this.#make(family, type, ifindex);
  }

  /** The device is gone, and may have lost its index. */
  deviceGone(device: NetDevice): void {
    for (const [ifindex, made] of this.#made) {
      if (made[0]!.spec.device !== device) continue;
      for (const hop of made) this.#hops.give(hop);
      this.#made.delete(ifindex);
    }
  }

  #make(family: number, type: number, ifindex: number): Hop | null {
    const device = this.#traffic.current.byIndex(ifindex);
    if (device === null) return null;
    const onLink = { gatewayFamily: 0, gateway: [0, 0, 0, 0], onLink: false, encap: null, metrics: null, realms: 0 } as const;
    const hop = this.#hops.take({ family, type, device, ...onLink });
    const made = this.#made.get(ifindex);
    if (made === undefined) this.#made.set(ifindex, [hop]);
    else made.push(hop);
    return hop;
  }
}
