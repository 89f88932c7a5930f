import type { DeviceTraffic, NetDevice, RxQueue, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import type { DeviceTable } from './device-table.ts';
import type { LinkState } from './link-state.ts';
import type { Receiver } from './receiver.ts';
import type { Transmitter } from './transmitter.ts';

/** What devices that exist do: the parts of netdev as one service. */
export class Traffic implements DeviceTraffic {
  readonly #table: DeviceTable;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  readonly #link: LinkState;

  constructor(table: DeviceTable, receiver: Receiver, transmitter: Transmitter, link: LinkState) {
    this.#table = table;
    this.#receiver = receiver;
    this.#transmitter = transmitter;
    this.#link = link;
  }

  byIndex(ifindex: number): NetDevice | null {
    return this.#table.byIndex(ifindex);
  }

  byName(name: string): NetDevice | null {
    return this.#table.byName(name);
  }

  all(): readonly NetDevice[] {
    return this.#table.all;
  }

  transmit(device: NetDevice, skb: Skb): number {
    return this.#transmitter.transmit(device, skb);
  }

  receive(queue: RxQueue, batch: SkbQueue): void {
    this.#receiver.receive(queue.device, queue.index, batch);
  }

  schedule(queue: TxQueue): void {
    this.#transmitter.schedule(queue);
  }

  wake(queue: TxQueue): void {
    this.#transmitter.wake(queue);
  }

  completed(queue: TxQueue, _packets: number, bytes: number): void {
    this.#transmitter.completed(queue, bytes);
  }

  setCarrier(device: NetDevice, on: boolean): void {
    this.#link.setCarrier(device, on);
  }

  setDormant(device: NetDevice, on: boolean): void {
    this.#link.setDormant(device, on);
  }
}
