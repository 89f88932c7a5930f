import type { NetDevice, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FEATURE, DEVICE_FLAG, NetError } from '@softnet/contract';
import type { DeviceDriver } from '../driver/device-driver.ts';
import type { TapHost } from './tap-host.ts';
import type { TapLink } from './tap-queue.ts';
import { TapQueue } from './tap-queue.ts';
import type { TunFile } from './tun-file.ts';
import { TUN_OFFLOAD } from './tun-file.ts';

const { RX_CHECKSUM, RX_GSO } = DEVICE_FEATURE;
const TCP_BURSTS = TUN_OFFLOAD.TCPV4 | TUN_OFFLOAD.TCPV6 | TUN_OFFLOAD.TCP_ECN;
const UDP_BURSTS = TUN_OFFLOAD.UDPV4 | TUN_OFFLOAD.UDPV6;

/** Works one tap by its queues. Carrier is there while Linux's end is up: only then it can be written to. */
export class TapDriver implements DeviceDriver, TapLink {
  readonly outside: TunFile;
  readonly device: NetDevice;
  unplugged = false;
  readonly #host: TapHost;
  #queues: readonly TapQueue[];

  constructor(host: TapHost, device: NetDevice, tun: TunFile) {
    this.#host = host;
    this.device = device;
    this.outside = tun;
    this.#queues = this.#makeQueues(device.rxQueues.length);
  }

  get tun(): TunFile {
    return this.outside;
  }

  open(): void {
    const tun = this.outside;
    for (const queue of this.#queues) if (tun.isOpen) queue.discardStale();
    if (!tun.isOpen)
      throw new NetError('ENODEV', `${this.device.name}: Linux has deleted ${tun.name}: remove the device, and make it again`);
    tun.setCarrier(true);
    this.#begin();
  }

  stop(): void {
    for (const queue of this.#queues) queue.rest();
    if (this.outside.isOpen) this.outside.setCarrier(false);
  }

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    for (const queue of this.#queues) queue.leave();
  }

  /** Goes on with a device that the last generation had. */
  adopt(): void {
    if ((this.device.flags & DEVICE_FLAG.UP) !== 0 && this.outside.isOpen) this.#begin();
  }

  setAddress(address: Uint8Array): void {
    const theirs = this.outside.readAddress();
    if (theirs === null || !sameAddress(theirs, address)) return;
    throw new NetError('EINVAL', `${this.device.name}: Linux's end, ${this.outside.name}, has this address: give another one`);
  }

  /** What of the receiving side is on, Linux is told: it leaves checksums and bursts to us then. */
  setFeatures(features: number): void {
    const { name } = this.device;
    const checksum = (features & RX_CHECKSUM) !== 0;
    const bursts = (features & RX_GSO) !== 0;
    if (bursts && !checksum) throw new NetError('EINVAL', `${name}: bursts have no checksum of their own: RX_GSO wants RX_CHECKSUM on`);
    const changed = (features ^ this.device.features) & (RX_CHECKSUM | RX_GSO);
    if (changed === 0 || !this.outside.isOpen) return;
    const offloads = (checksum ? TUN_OFFLOAD.CHECKSUM : 0) | (bursts ? TCP_BURSTS | (this.outside.udpBursts ? UDP_BURSTS : 0) : 0);
    if (!this.outside.setOffloads(offloads))
      throw new NetError('EOPNOTSUPP', `${name}: Linux does not know these offloads (TUNSETOFFLOAD)`);
  }

  /** Queues are pairs, and those that are not used stay open: an interface may be in another namespace by now. */
  setChannels(rxQueues: number, txQueues: number): void {
    const { name } = this.device;
    if (rxQueues !== txQueues) throw new NetError('EINVAL', `${name}: each queue of a tap receives and sends: give as many rx as tx`);
    if (rxQueues === this.#queues.length) return;
    if (!this.outside.isOpen) throw new NetError('ENODEV', `${name}: Linux has deleted ${this.outside.name}`);
    this.outside.useQueues(rxQueues);
    this.leave();
    this.#queues = this.#makeQueues(rxQueues);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    this.#queues[queue.index]!.transmit(queue, batch);
  }

  setUnplugged(unplugged: boolean): void {
    this.unplugged = unplugged;
  }

  /** Linux's end is gone, and so is ours: the device stays, without carrier, until somebody removes it. */
  deleted(errno: number): void {
    this.leave();
    this.outside.close();
    this.#host.deleted.value++;
    this.unplugged = true;
    this.#host.warn('the interface was deleted, remove the device and make it again', { interface: this.outside.name, errno });
    if (this.device.carrier) this.#host.setCarrier(this.device, false);
  }

  #makeQueues(count: number): TapQueue[] {
    return Array.from({ length: count }, (_, index) => new TapQueue(this.#host, this, index));
  }

  #begin(): void {
    const { libc, fds } = this.outside;
    this.unplugged = !libc.canWrite(fds[0]!);
    for (const queue of this.#queues) queue.begin();
  }
}

/** Two link addresses. */
export function sameAddress(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}
