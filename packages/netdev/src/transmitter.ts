import type { CurrentOwner, HookChain, HookOkay, NetDevice, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FLAG, runHooks } from '@softnet/contract';
import { claim, passOn } from '@softnet/skb';
import { forgetHooks } from './device-hooks.ts';
import type { FlowHash } from './flow-hash.ts';
import { PLACE } from './owner-places.ts';
import { chooseQueue } from './queue-choice.ts';
import type { SenderParts } from './sender.ts';
import { refusePacket, Sender } from './sender.ts';

/** What the way out needs of the rest of netdev. */
export interface TransmitParts extends SenderParts {
  readonly hash: FlowHash;
  readonly current: CurrentOwner;
  /** Makes the chain of egress hooks; `okay` is what follows them. */
  readonly egress: (okay: HookOkay) => HookChain;
}

/** The way out: egress hooks, choice of a queue, its sender. */
export class Transmitter {
  readonly #parts: TransmitParts;
  readonly #egress: HookChain;

  constructor(parts: TransmitParts) {
    this.#parts = parts;
    this.#egress = parts.egress((skb, _input, output) => this.#queue(skb, output!));
  }

  /** Takes a packet with its link header written. Returns one of `TRANSMIT`. */
  transmit(device: NetDevice, skb: Skb): number {
    const { reasons } = this.#parts;
    claim(skb, PLACE.TRANSMIT);
    // Its way is decided; who keeps packets must not keep a route.
    skb.dst = null;
    if ((device.flags & DEVICE_FLAG.UP) === 0) return refusePacket(skb, device, reasons['netdev.down']);
    if (!device.carrier) return refusePacket(skb, device, reasons['netdev.no-carrier']);
    passOn(skb, PLACE.TRANSMIT);
    return runHooks(this.#egress, skb, null, device);
  }

  schedule(queue: TxQueue): void {
    senderOf(queue)?.schedule();
  }

  wake(queue: TxQueue): void {
    queue.stopped = false;
    senderOf(queue)?.schedule();
  }

  /** The driver has counted it. */
  completed(queue: TxQueue, bytes: number): void {
    queue.inFlightBytes = Math.max(0, queue.inFlightBytes - bytes);
    if (queue.limitBytes > 0) senderOf(queue)?.schedule();
  }

  /** A device is registered: its queues have senders. */
  plug(device: NetDevice): void {
    for (const queue of device.txQueues) queue.sender = new Sender(queue, this.#parts);
  }

  unplug(queues: readonly TxQueue[]): void {
    for (const queue of queues) queue.sender = null;
  }

  /** The next generation takes the device over. */
  leave(device: NetDevice): void {
    for (const queue of device.txQueues) senderOf(queue)?.leave();
  }

  /** Takes it over from the last one, which has left what its senders had. */
  adopt(device: NetDevice): void {
    for (const queue of device.txQueues) {
      const left = queue.sender as SkbQueue | null;
      const sender = new Sender(queue, this.#parts);
      queue.sender = sender;
      if (left !== null) sender.adopt(left);
    }
    if (device.qdisc?.handle === 0) device.qdisc = device.txQueues[0]?.qdisc ?? null;
  }

  /** The device goes up: qdiscs in its queues' cells. */
  attach(device: NetDevice): void {
    for (const queue of device.txQueues) senderOf(queue)?.attach();
    device.qdisc = device.txQueues[0]?.qdisc ?? null;
  }

  /** It goes down: what waits is dropped. */
  detach(device: NetDevice): void {
    for (const queue of device.txQueues) senderOf(queue)?.detach();
    device.qdisc = null;
  }

  /** Its link is down: what waits is dropped. */
  reset(device: NetDevice): void {
    for (const queue of device.txQueues) senderOf(queue)?.reset();
  }

  /** Hooks have come or gone. */
  refresh(): void {
    forgetHooks(this.#egress);
  }

  /** The module stops: packets that hooks kept find the way closed. */
  close(): void {
    this.#egress.open = false;
  }

  /** Behind the egress hooks. */
  #queue(skb: Skb, device: NetDevice): number {
    const { hash, current, reasons } = this.#parts;
    const index = chooseQueue(device, skb, hash, current);
    skb.queue = index;
    const sender = device.txQueues.length === 0 ? null : senderOf(device.txQueues[index]!);
    return sender === null ? refusePacket(skb, device, reasons['netdev.down']) : sender.submit(skb);
  }
}

function senderOf(queue: TxQueue): Sender | null {
  return queue.sender as Sender | null;
}
