import type { Channels, Coalescing, Ethtool, NetDevice, Random, RingSizes, RxQueue, TxQueue } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FLAG, evenIndirection, FlowRule, NetError, ReceiveSpread, RSS_KEY_BYTES } from '@softnet/contract';
import type { Registry } from '../registry.ts';
import type { Transmitter } from '../transmitter.ts';
import type { Step } from './all-or-none.ts';
import { allOrNone } from './all-or-none.ts';
import {
  channelCount,
  checkCoalescing,
  checkIndirection,
  checkKey,
  checkQueuesMade,
  checkRule,
  checkRulesFit,
  mustBeAble,
  otherRules,
  ringSize,
} from './settings-checks.ts';

/**
 * What `ethtool` sets: it is checked, the driver is asked, the device has it, then all are told. Where a driver throws, all is as
 * it was.
 */
export class DeviceSettings implements Ethtool {
  readonly #registry: Registry;
  readonly #transmitter: Transmitter;
  readonly #random: Random;

  constructor(registry: Registry, transmitter: Transmitter, random: Random) {
    this.#registry = registry;
    this.#transmitter = transmitter;
    this.#random = random;
  }

  setRings(device: NetDevice, { rxPackets, txPackets }: RingSizes): void {
    this.#registry.check(device);
    const { ops, rxQueues, txQueues } = device;
    mustBeAble(device, ops.setRings, 'the sizes of its rings');
    const rx = ringSize(device, rxQueues, 'receive', rxPackets);
    const tx = ringSize(device, txQueues, 'transmit', txPackets);
    if (rxQueues.every(({ ringPackets }) => ringPackets === rx) && txQueues.every(({ ringPackets }) => ringPackets === tx)) return;
    this.#registry.ask(device, () => ops.setRings!(device, rx, tx));
    for (const queue of rxQueues) queue.ringPackets = rx;
    for (const queue of txQueues) queue.ringPackets = tx;
    this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
  }

  setCoalescing(device: NetDevice, queues: readonly (RxQueue | TxQueue)[], { us, packets }: Coalescing): void {
    this.#registry.check(device);
    mustBeAble(device, device.ops.setCoalescing, 'the moderation of its interrupts');
    checkCoalescing(device, queues, us ?? 0, packets ?? 0);
    const steps = queues.flatMap((queue): Step[] => {
      const { coalesceUs, coalescePackets } = queue;
      const wanted = { us: us ?? coalesceUs, packets: packets ?? coalescePackets };
      if (wanted.us === coalesceUs && wanted.packets === coalescePackets) return [];
      const set = (to: Required<Coalescing>): void => this.#moderate(device, queue, to);
      return [{ act: () => set(wanted), undo: () => set({ us: coalesceUs, packets: coalescePackets }) }];
    });
    if (steps.length === 0) return;
    allOrNone(steps);
    this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
  }

  setChannels(device: NetDevice, channels: Channels): void {
    this.#registry.check(device);
    const { rxQueues, txQueues } = device;
    mustBeAble(device, device.ops.setChannels, 'how many queues it has');
    const rx = channelCount(device, 'receive', channels.rx, rxQueues.length, device.maxRxQueues);
    const tx = channelCount(device, 'transmit', channels.tx, txQueues.length, device.maxTxQueues);
    if (rx === rxQueues.length && tx === txQueues.length) return;
    checkRulesFit(device, rx);
    const wasUp = (device.flags & DEVICE_FLAG.UP) !== 0;
    const down: Step = { act: () => this.#registry.close(device), undo: () => this.#registry.open(device) };
    allOrNone(wasUp ? [down, ...this.#channelSteps(device, rx, tx)] : this.#channelSteps(device, rx, tx));
    try {
      this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
    } finally {
      if (wasUp) this.#registry.open(device);
    }
  }

  setSpread(device: NetDevice, key: Uint8Array | null, indirection: readonly number[] | null): void {
    this.#registry.check(device);
    mustBeAble(device, device.ops.setSpread, 'how it spreads flows over its receive queues');
    if (key !== null) checkKey(device, key);
    if (indirection !== null) checkIndirection(device, indirection);
    const table = indirection === null ? evenIndirection(device.rxQueues.length) : Uint8Array.from(indirection);
    this.#spread(device, new ReceiveSpread(key?.slice() ?? device.rss?.key ?? this.#randomKey(), table));
    this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
  }

  addFlowRule(device: NetDevice, rule: FlowRule): void {
    this.#registry.check(device);
    mustBeAble(device, device.ops.setFlowRules, 'which flows go to queues of their own');
    checkRule(device, rule);
    const own = new FlowRule();
    Object.assign(own.key, rule.key);
    Object.assign(own, { location: rule.location, queue: rule.queue, automatic: rule.automatic });
    this.#setRules(device, [...otherRules(device, rule), own]);
    this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
  }

  removeFlowRule(device: NetDevice, location: number): void {
    this.#registry.check(device);
    mustBeAble(device, device.ops.setFlowRules, 'which flows go to queues of their own');
    const others = device.flowRules.filter((rule) => rule.location !== location);
    if (others.length === device.flowRules.length) {
      const known = device.flowRules.map((rule) => rule.location).join(', ') || 'none';
      throw new NetError('ENOENT', `'${device.name}' has no flow rule ${location}; there are: ${known}`);
    }
    this.#setRules(device, others);
    this.#registry.tell(device, DEVICE_EVENT.SETTINGS);
  }

  /**
   * Where queues go, nothing may name them any more before they do. Where queues come, an even table is made even again: else they
   * would have nothing to do.
   */
  #channelSteps(device: NetDevice, rx: number, tx: number): Step[] {
    const { rss, rxQueues, txQueues, flowRules } = device;
    const steps: Step[] = [
      {
        act: () => this.#setQueues(device, rx, tx),
        undo: () => this.#setQueues(device, rxQueues.length, txQueues.length),
      },
    ];
    const kept = flowRules.filter(({ queue }) => queue < rx);
    if (kept.length < flowRules.length) {
      steps.unshift({ act: () => this.#setRules(device, kept), undo: () => this.#setRules(device, flowRules) });
    }
    const spread = rss === null ? null : refit(rss, rxQueues.length, rx);
    if (rss === null || spread === rss) return steps;
    const step = { act: () => this.#spread(device, spread!), undo: () => this.#spread(device, rss) };
    return rx < rxQueues.length ? [step, ...steps] : [...steps, step];
  }

  #setQueues(device: NetDevice, rx: number, tx: number): void {
    const { rxQueues, txQueues } = device;
    try {
      this.#registry.ask(device, () => device.ops.setChannels!(device, rx, tx));
      checkQueuesMade(device, rx, tx);
    } catch (error) {
      device.rxQueues = rxQueues;
      device.txQueues = txQueues;
      throw error;
    }
    this.#transmitter.unplug(txQueues);
    this.#transmitter.plug(device);
  }

  #spread(device: NetDevice, spread: ReceiveSpread): void {
    this.#registry.ask(device, () => device.ops.setSpread?.(device, spread));
    device.rss = spread;
  }

  #setRules(device: NetDevice, rules: readonly FlowRule[]): void {
    const before = device.flowRules;
    const sorted = rules.toSorted((a, b) => a.location - b.location);
    this.#registry.ask(device, () => device.ops.setFlowRules?.(device, sorted));
    // A driver that made room has them without some automatic ones.
    if (device.flowRules === before) device.flowRules = sorted;
  }

  #moderate(device: NetDevice, queue: RxQueue | TxQueue, { us, packets }: Required<Coalescing>): void {
    this.#registry.ask(device, () => device.ops.setCoalescing!(queue, us, packets));
    queue.coalesceUs = us;
    queue.coalescePackets = packets;
  }

  /** So that nobody outside can choose flows that fall into one queue. */
  #randomKey(): Uint8Array {
    const key = new Uint8Array(RSS_KEY_BYTES);
    this.#random.fill(key);
    return key;
  }
}

/** The spread over `now` queues of one over `before`: itself where it names none that is gone, and was made by hand. */
function refit(spread: ReceiveSpread, before: number, now: number): ReceiveSpread {
  const { key, indirection } = spread;
  const even = indirection.every((queue, entry) => queue === entry % before);
  if (!even && indirection.every((queue) => queue < now)) return spread;
  return new ReceiveSpread(key, evenIndirection(now));
}
