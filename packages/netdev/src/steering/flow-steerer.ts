import type { Counter, CurrentOwner, FlowKey, FlowSteering, NetDevice, RxQueue } from '@softnet/contract';
import { DEVICE_FEATURE, DEVICE_FLAG } from '@softnet/contract';
import type { DeviceTable } from '../device-table.ts';
import { servingPriority } from '../queue-choice.ts';
import { ShardTable } from './shard-table.ts';

/** What is counted: once for each device that is asked. */
export interface SteeringCounters {
  readonly steered: Counter;
  /** The driver has no room for the rule, or no queue of that shard. */
  readonly refused: Counter;
  readonly evicted: Counter;
}

/**
 * Brings flows to where they are read (row S6): each device that can is asked to put them into a queue of that shard. Where one
 * cannot, the shard is remembered, for who spreads packets over shards by software.
 */
export class FlowSteerer implements FlowSteering {
  readonly #table: DeviceTable;
  readonly #current: CurrentOwner;
  readonly #counters: SteeringCounters;
  readonly #shards = new ShardTable();

  constructor(table: DeviceTable, current: CurrentOwner, counters: SteeringCounters) {
    this.#table = table;
    this.#current = current;
    this.#counters = counters;
  }

  readerMoved(key: FlowKey, hash: number, shard: number, priority: number): void {
    const { all } = this.#table;
    let everywhere = true;
    for (let i = 0; i < all.length; i++) {
      const device = all[i]!;
      if ((device.flags & DEVICE_FLAG.UP) !== 0 && !this.#steer(device, key, hash, shard, priority)) everywhere = false;
    }
    // What is remembered must not contradict what devices do.
    if (!everywhere || this.#shards.has(hash)) this.#remember(hash, shard);
  }

  /** The shard that reads flows of this hash, as far as devices do not see to it. -1: not known. */
  shardOf(hash: number): number {
    return this.#shards.shardOf(hash);
  }

  #steer(device: NetDevice, key: FlowKey, hash: number, shard: number, priority: number): boolean {
    const { ops } = device;
    if ((device.features & DEVICE_FEATURE.FLOW_STEERING) === 0 || ops.steer === undefined) return false;
    const queue = queueOf(device.rxQueues, hash, shard, priority);
    const caller = this.#current.id;
    this.#current.id = device.holdKind?.owner ?? caller;
    const done = queue >= 0 && ops.steer(device, key, queue, priority);
    this.#current.id = caller;
    if (done) this.#counters.steered.value++;
    else this.#counters.refused.value++;
    return done;
  }

  #remember(hash: number, shard: number): void {
    this.#shards.put(hash, shard);
    this.#counters.evicted.value = this.#shards.evictions;
  }
}

/** Of the shard's queues that serve the priority, the one that the flow hashes to. -1: the shard has none. */
function queueOf(queues: readonly RxQueue[], hash: number, shard: number, wanted: number): number {
  const own = queues.filter((queue) => queue.shard === shard);
  const priority = servingPriority(own, wanted);
  const serving = own.filter((queue) => queue.priority === priority);
  return serving[Math.floor(((hash >>> 0) / 0x100000000) * serving.length)]?.index ?? -1;
}
