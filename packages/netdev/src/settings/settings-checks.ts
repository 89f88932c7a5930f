import type { FlowRule, NetDevice, RxQueue, TxQueue } from '@softnet/contract';
import { NetError, RSS_KEY_BYTES } from '@softnet/contract';

/** So many entries of an indirection table, at most; and so many flow rules of a device. */
const MAX_ENTRIES = 1024;
const MAX_RULES = 1024;
const MAX_COALESCE_US = 1_000_000;
const MAX_COALESCE_PACKETS = 65535;
const MAX_PROTOCOL = 255;
const MAX_PORT = 65535;

/** A driver that has no such call. @throws NetError EOPNOTSUPP. */
export function mustBeAble({ name, kind }: NetDevice, call: object | undefined, what: string): void {
  if (call !== undefined) return;
  throw new NetError('EOPNOTSUPP', `the driver of '${name}'${kind === '' ? '' : ` (${kind})`} cannot change ${what}`);
}

/** The ring size of a sort of queues: what is wanted, or what it is. @throws NetError EINVAL, EOPNOTSUPP. */
export function ringSize({ name }: NetDevice, queues: readonly (RxQueue | TxQueue)[], way: string, wanted: number | undefined): number {
  const present = queues[0]?.ringPackets ?? 0;
  if (wanted === undefined) return present;
  const max = queues[0]?.maxRingPackets ?? 0;
  if (max === 0) throw new NetError('EOPNOTSUPP', `'${name}' has no ${way} rings: nothing limits what waits there`);
  checkInteger(wanted, 1, max, `a ${way} ring of '${name}'`, 'packets');
  return wanted;
}

/** @throws NetError EINVAL. */
export function checkCoalescing(device: NetDevice, queues: readonly (RxQueue | TxQueue)[], us: number, packets: number): void {
  const { name, rxQueues, txQueues } = device;
  if (queues.length === 0) throw new NetError('EINVAL', `'${name}' has no such queue whose interrupts could be moderated`);
  for (const queue of queues) {
    if (rxQueues[queue.index] !== queue && txQueues[queue.index] !== queue) {
      throw new NetError('EINVAL', `queue ${queue.index} is none of '${name}' (any more): take it from its rxQueues or txQueues`);
    }
  }
  checkInteger(us, 0, MAX_COALESCE_US, `moderation of '${name}'`, 'µs');
  checkInteger(packets, 0, MAX_COALESCE_PACKETS, `moderation of '${name}'`, 'packets');
}

/** How many queues of a sort: what is wanted, or what it has. @throws NetError EINVAL. */
export function channelCount({ name }: NetDevice, way: string, wanted: number | undefined, present: number, max: number): number {
  if (wanted === undefined) return present;
  checkInteger(wanted, 1, max, `'${name}'`, `${way} queues`);
  return wanted;
}

/** No rule may name a queue that is to go; those that were made by themselves go with it. @throws NetError EINVAL. */
export function checkRulesFit({ name, flowRules }: NetDevice, rxQueues: number): void {
  const rule = flowRules.find(({ queue, automatic }) => queue >= rxQueues && !automatic);
  if (rule === undefined) return;
  throw new NetError('EINVAL', `rule ${rule.location} of '${name}' sends a flow to receive queue ${rule.queue}: remove it first`);
}

/** What a driver has made. @throws NetError EIO. */
export function checkQueuesMade(device: NetDevice, rxQueues: number, txQueues: number): void {
  const whole = (queues: readonly (RxQueue | TxQueue)[], count: number): boolean =>
    queues.length === count && queues.every((queue, index) => queue.device === device && queue.index === index);
  if (whole(device.rxQueues, rxQueues) && whole(device.txQueues, txQueues)) return;
  throw new NetError(
    'EIO',
    `the driver of '${device.name}' was asked for ${rxQueues} receive and ${txQueues} transmit queues, and made others`,
  );
}

/** @throws NetError EINVAL. */
export function checkKey({ name }: NetDevice, key: Uint8Array): void {
  if (key.length === RSS_KEY_BYTES) return;
  throw new NetError('EINVAL', `the RSS key of '${name}' has ${RSS_KEY_BYTES} bytes, got ${key.length}`);
}

/** @throws NetError EINVAL. */
export function checkIndirection({ name, rxQueues }: NetDevice, indirection: readonly number[]): void {
  const { length } = indirection;
  if (length < 1 || length > MAX_ENTRIES || (length & (length - 1)) !== 0) {
    throw new NetError('EINVAL', `the RSS table of '${name}' has a power of two of entries, 1 to ${MAX_ENTRIES}, got ${length}`);
  }
  for (const queue of indirection) checkInteger(queue, 0, rxQueues.length - 1, `an entry of the RSS table of '${name}'`, 'for its queue');
}

/** @throws NetError EINVAL. */
export function checkRule({ name, rxQueues }: NetDevice, { location, key, queue }: FlowRule): void {
  checkInteger(location, 0, 0x7fffffff, `the location of a rule of '${name}'`, 'as its place');
  checkInteger(queue, -1, rxQueues.length - 1, `rule ${location} of '${name}'`, 'for its receive queue (-1: dropped)');
  checkInteger(key.protocol, 0, MAX_PROTOCOL, `rule ${location} of '${name}'`, 'for its protocol');
  for (const port of [key.localPort, key.remotePort]) checkInteger(port, 0, MAX_PORT, `rule ${location} of '${name}'`, 'for a port');
}

/** The other rules of a device that gets one more: where there is no room, the first that was made by itself goes. @throws NetError ENOSPC. */
export function otherRules({ name, flowRules }: NetDevice, { location }: FlowRule): FlowRule[] {
  const others = flowRules.filter((rule) => rule.location !== location);
  if (others.length < MAX_RULES) return others;
  const oldest = others.findIndex(({ automatic }) => automatic);
  if (oldest < 0) throw new NetError('ENOSPC', `'${name}' has ${MAX_RULES} flow rules: remove one first`);
  return others.toSpliced(oldest, 1);
}

function checkInteger(value: number, least: number, most: number, whose: string, what: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new NetError('EINVAL', `${whose} takes ${least} to ${most} ${what}, got ${value}`);
}
