import type { NetDevice, SkbQueue, TxQueue } from '@softnet/contract';

/**
 * What works one device of a driver: between the registry, which calls it through {@link DriverDevices}, and what lies outside the
 * kernel. It stands in `device.ext`. All of it runs as the driver's module.
 */
export interface DeviceDriver {
  /**
   * What lies outside and outlives this generation of the module: a cable's end, an open file. The next generation works the device
   * with it. Null: nothing does.
   */
  readonly outside: object | null;
  /** The device goes up: what is received may be handed to {@link DriverDevices.received} from here on. @throws NetError: it stays down. */
  open(): void;
  /** The device goes down: what waits to be sent is dropped, with a reason. Received frames that wait are not its business. */
  stop(): void;
  /** As `DeviceOps.transmit`; {@link DriverDevices.sent} tells what has left. The device is up. */
  transmit(queue: TxQueue, batch: SkbQueue): void;
  /** The device is gone for good, down before: closes what lies outside. Called once; nothing is called after it. */
  close(): void;
  /** The next generation has `outside`: cancels timers and lets go of it, drops nothing. Nothing is called after it. */
  leave(): void;
  // Each is asked before anything is changed. @throws NetError: the change is refused.
  setMtu?(mtuBytes: number): void;
  setAddress?(address: Uint8Array): void;
  setFeatures?(features: number): void;
  /** How many frames the queues have room for: `RxQueue.ringPackets` and `TxQueue.ringPackets` are about to be these. */
  setRings?(rxPackets: number, txPackets: number): void;
  /** The device is down, and `rxQueues` and `txQueues` are about to be made anew, so many of each. Wanted where `DriverSpec.channels` is set. */
  setChannels?(rxQueues: number, txQueues: number): void;
  /** Flags PROMISC or ALLMULTI, or the link addresses to listen to, have changed. */
  setReceiveMode?(groups: readonly Uint8Array[]): void;
}

/** What a module says of all its devices. */
export interface DriverSpec {
  /** As `NetDevice.kind`. */
  readonly kind: string;
  /** May somebody remove one (`ip link del`)? Else they go with the module only. */
  readonly removable: boolean;
  /** False: received frames do not go through {@link DriverDevices.received}; there are no rings, and no interrupts that could be moderated. */
  readonly rings?: boolean;
  /** Can the numbers of their queues be changed, up to `maxRxQueues` and `maxTxQueues`? Default: no. */
  readonly channels?: boolean;
  /**
   * Are received frames given to {@link DriverDevices.arrived}, which does what a card's hardware does with them (RSS, flow rules,
   * checksums)? So `ethtool -X`, `-N` and steering work. Default: no; the driver, or nobody, chooses queues.
   */
  readonly classifies?: boolean;
  /**
   * Makes what works a device: a new one, or one that the last generation hands over. `device` is filled in, but for `ext`; `outside`
   * is what {@link DriverDevices.add} was given, or the last generation had and has left.
   * @throws NetError for a new one, when it cannot have `outside`; it has closed nothing then.
   */
  drive(device: NetDevice, outside: object | null): DeviceDriver;
  /**
   * The device was handed over: go on where the last generation stood (it may be up). Absent: devices are not handed over, and end
   * with the generation that made them.
   */
  adopted?(device: NetDevice, driver: DeviceDriver): void;
}
