import type { Contributions, CurrentOwner, NetDevice, Skb, Tap } from '@softnet/contract';
import { ETHERTYPE } from '@softnet/contract';

/** Shows packets to those who look on. */
export class Taps {
  readonly #taps: Contributions<Tap>;
  readonly #current: CurrentOwner;

  constructor(taps: Contributions<Tap>, current: CurrentOwner) {
    this.#taps = taps;
    this.#current = current;
  }

  get present(): boolean {
    return this.#taps.items.length > 0;
  }

  show(skb: Skb, device: NetDevice): void {
    const { items, owners } = this.#taps;
    const current = this.#current;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      const tap = items[i]!;
      if (tap.ethertype !== ETHERTYPE.ALL && tap.ethertype !== skb.protocol) continue;
      if (tap.ifindex !== 0 && tap.ifindex !== device.ifindex) continue;
      current.id = owners[i]!;
      tap.tap(skb, device);
      current.id = caller;
    }
  }
}
