import { DropReason } from './counter.ts';
import type { NetDevice, RxQueue, TxQueue } from './device.ts';
import { TRANSMIT } from './dst.ts';
import type { Skb } from './skb.ts';
import type { SkbQueue } from './skb-queue.ts';
import { dequeue } from './skb-queue.ts';
import { definePoint, defineService } from './token.ts';

/** The registry of devices. A **door**. Callers: drivers, and who configures (netlink, the command). Linux's `register_netdevice`. */
export interface Devices {
  /**
   * Gives it an ifindex and shows it to all. `device.name` may end in '%d'.
   * @throws NetError EEXIST, EINVAL.
   */
  register(device: NetDevice): void;
  /** Takes it down and out. Packets on its queues are dropped, with a reason. */
  unregister(device: NetDevice): void;
  /** Administratively up and down. @throws NetError what the driver's `open` throws. */
  open(device: NetDevice): void;
  close(device: NetDevice): void;
  /** Each asks the driver first, then tells {@link DeviceListener}s. @throws NetError EINVAL, EBUSY. */
  setMtu(device: NetDevice, mtuBytes: number): void;
  setAddress(device: NetDevice, address: Uint8Array): void;
  setFeatures(device: NetDevice, features: number): void;
  setFlags(device: NetDevice, flags: number): void;
  rename(device: NetDevice, name: string): void;
  /** Takes it down and out for good, and tells its driver (`DeviceOps.remove`): `ip link del`. @throws NetError EOPNOTSUPP. */
  remove(device: NetDevice): void;
}
export const Devices = defineService<Devices>({ name: 'devices', version: '1.0.0', errno: 'ENODEV' });

/**
 * What devices that exist do. A **corridor**. Callers: drivers (receive, wake, completed, carrier), neighbours
 * (transmit), qdiscs (schedule).
 */
export interface DeviceTraffic {
  /** Null: there is none. */
  byIndex(ifindex: number): NetDevice | null;
  byName(name: string): NetDevice | null;
  /** All that are registered, by ifindex; replaced whole at each change. */
  all(): readonly NetDevice[];
  /**
   * Out: egress filter, queue, qdisc, taps, driver; cuts and finishes checksums where the device does not. Link header
   * written. Returns one of `TRANSMIT`. Linux's `dev_queue_xmit`.
   */
  transmit(device: NetDevice, skb: Skb): number;
  /**
   * In: a poll's packets, with `data` at the link header. GRO, taps, ingress filter, then by ethertype. Takes the
   * whole batch. Linux's `napi_gro_receive`. Only from a poll; elsewhere use {@link Backlog}.
   */
  receive(queue: RxQueue, batch: SkbQueue): void;
  /** There is something to dequeue: a qdisc's timer fired. */
  schedule(queue: TxQueue): void;
  /** The driver has room again. */
  wake(queue: TxQueue): void;
  /** So much has left the driver. */
  completed(queue: TxQueue, packets: number, bytes: number): void;
  /** The link came or went; operstate, listeners and the stack above follow. */
  setCarrier(device: NetDevice, on: boolean): void;
  setDormant(device: NetDevice, on: boolean): void;
}
export const DeviceTraffic = defineService<DeviceTraffic>({
  name: 'device-traffic',
  version: '1.0.0',
  errno: 'ENETDOWN',
  methods: ['byIndex', 'byName', 'all', 'transmit', 'receive', 'schedule', 'wake', 'completed', 'setCarrier', 'setDormant'],
  absent: absentTraffic,
});

/** While no module keeps devices, packets are dropped. */
function absentTraffic(): DeviceTraffic {
  const reason = new DropReason(0, 'device-traffic.absent', 'no module keeps devices');
  const nothing = () => {};
  return {
    byIndex: () => null,
    byName: () => null,
    all: () => [],
    transmit: (_device, skb) => {
      skb.memory.pool.drop(skb, reason);
      return TRANSMIT.DROPPED;
    },
    receive: (_queue, batch) => {
      for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) skb.memory.pool.drop(skb, reason);
    },
    schedule: nothing,
    wake: nothing,
    completed: nothing,
    setCarrier: nothing,
    setDormant: nothing,
  };
}

/** What happened to a device. Linux's `NETDEV_*`. */
export const DEVICE_EVENT = Object.freeze({
  REGISTER: 1,
  UNREGISTER: 2,
  UP: 3,
  /** About to go down, still able to send. */
  GOING_DOWN: 4,
  DOWN: 5,
  /** Operstate, carrier or flags. */
  CHANGE: 6,
  MTU: 7,
  ADDRESS: 8,
  FEATURES: 9,
  NAME: 10,
  /** What {@link Ethtool} sets. */
  SETTINGS: 11,
} as const);

/**
 * The notifier: told at once of every change; a listener that comes later hears REGISTER, and UP, of what is there.
 * A **corridor**. Callers of it: the registry. Who contributes: routes, layers, netlink, stacked devices.
 */
export interface DeviceListener {
  /** @param event one of {@link DEVICE_EVENT}. */
  deviceChanged(device: NetDevice, event: number): void;
}
export const DeviceListener = definePoint<DeviceListener>({ name: 'device-listener', version: '1.0.0' });
