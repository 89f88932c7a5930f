import type {
  Clock,
  Contributions,
  DeviceTraffic,
  Held,
  LinkLayer,
  NetDevice,
  Objects,
  Owner,
  PointToken,
  Port,
  ServiceToken,
  Skb,
  Timer,
} from '@softnet/contract';
import {
  CurrentOwner,
  DEVICE_FLAG,
  NetDevice as Device,
  DeviceTraffic as DeviceTrafficToken,
  DropReason,
  NetError,
  TRANSMIT,
} from '@softnet/contract';
import { makePool, push } from '@softnet/skb';

/** For unit tests: time, timers, devices and cells without a kernel. */
export class FakeKernel {
  nowUs = 1_000_000;
  readonly current = new CurrentOwner();
  readonly timers: FakeTimer[] = [];
  readonly devices: NetDevice[] = [];
  readonly pool = makePool({ buffers: 512, pages: 8 });
  /** What was transmitted: the packets' first data word, and where to. */
  readonly sent: string[] = [];
  readonly reasons = new Map<string, DropReason>();
  readonly clock: Clock;
  readonly traffic: FakePort<DeviceTraffic>;

  constructor() {
    const kernel = this;
    this.clock = {
      get nowUs() {
        return kernel.nowUs;
      },
      get nowMs() {
        return Math.floor(kernel.nowUs / 1000) | 0;
      },
      virtual: true,
      readUs: () => kernel.nowUs,
    };
    this.traffic = new FakePort(DeviceTrafficToken);
    this.traffic.provide({
      ...this.traffic.current,
      byIndex: (ifindex) => this.devices.find((device) => device.ifindex === ifindex) ?? null,
      all: () => this.devices,
      transmit: (device, skb) => this.#transmit(device, skb),
    });
  }

  readonly reason = (name: string, text: string): DropReason => {
    const reason = this.reasons.get(name) ?? new DropReason(this.reasons.size + 1, name, text);
    this.reasons.set(name, reason);
    return reason;
  };

  drops(): Record<string, number> {
    return Object.fromEntries([...this.reasons.values()].flatMap(({ name, count }) => (count > 0 ? [[name, count]] : [])));
  }

  readonly timer = <A>(fire: (arg: A) => void, arg: A): Timer => {
    const timer = new FakeTimer(this, () => fire(arg));
    this.timers.push(timer);
    return timer;
  };

  /** Lets time pass; timers fire in order. */
  advance(ms: number): void {
    const endUs = this.nowUs + ms * 1000;
    for (;;) {
      const due = this.timers.filter(({ armed, whenUs }) => armed && whenUs <= endUs).sort((a, b) => a.whenUs - b.whenUs)[0];
      if (due === undefined) break;
      this.nowUs = Math.max(this.nowUs, due.whenUs);
      due.armed = false;
      due.fire();
    }
    this.nowUs = endUs;
  }

  /** A device that is up. */
  plug(name: string, flags: number = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST): NetDevice {
    const device = new Device({ open: () => {}, stop: () => {}, transmit: () => {} }, fakeLink);
    device.name = name;
    device.ifindex = this.devices.push(device);
    device.flags = flags | DEVICE_FLAG.UP;
    device.carrier = true;
    device.headroomBytes = fakeLink.headerBytes;
    device.address.set([2, 0, 0, 0, 0, device.ifindex]);
    return device;
  }

  #transmit(device: NetDevice, skb: Skb): number {
    const { bytes, view, pool } = skb.memory;
    this.sent.push(`${view.getUint8(skb.data + 14)} to ${bytes[skb.data + 5]} by ${device.name}`);
    pool.release(skb);
    return TRANSMIT.OK;
  }

  /** A packet of one byte. */
  packet(byte: number): Skb {
    const skb = this.pool.alloc(64, 16)!;
    skb.tail++;
    skb.len++;
    skb.protocol = 0x0800;
    skb.memory.bytes[skb.data] = byte;
    return skb;
  }
}

class FakeTimer implements Timer {
  armed = false;
  whenUs = 0;
  readonly fire: () => void;
  readonly #kernel: FakeKernel;

  constructor(kernel: FakeKernel, fire: () => void) {
    this.#kernel = kernel;
    this.fire = fire;
  }
  arm(delayUs: number): void {
    this.armAt(this.#kernel.nowUs + delayUs);
  }
  armAt(whenUs: number): void {
    this.whenUs = whenUs;
    this.armed = true;
  }
  cancel(): void {
    this.armed = false;
  }
}

/** Ethernet as far as it is needed. */
const fakeLink: LinkLayer = Object.freeze<LinkLayer>({
  addressLen: 6,
  headerBytes: 14,
  write(skb, _device, ethertype, destination) {
    const at = push(skb, 14);
    skb.memory.bytes.set(destination, at);
    skb.memory.view.setUint16(at + 12, ethertype);
  },
  read: () => true,
});

export class FakePort<T extends object> implements Port<T> {
  readonly token: ServiceToken<T>;
  current: T;
  present = false;
  owner = 0;

  constructor(token: ServiceToken<T>) {
    this.token = token;
    this.current = token.absent(() => new NetError(token.errno, `${token.name} is not there`));
  }
  provide(provider: T): void {
    this.current = provider;
    this.present = true;
    this.owner = 7;
  }
}

export class FakePoint<T extends object> implements Contributions<T> {
  readonly token: PointToken<T>;
  items: readonly T[] = [];
  owners: readonly number[] = [];

  constructor(token: PointToken<T>) {
    this.token = token;
  }
  set(...items: T[]): void {
    this.items = items;
    this.owners = items.map((_, index) => index + 1);
  }
}

/** A list of a kind: as much of the kernel's as is needed. `refuses`: its module leaves. */
export class FakeObjects<T extends Held> implements Objects<T> {
  readonly kind: string;
  readonly module = 'test#1';
  readonly owner = 1;
  open = true;
  refuses = false;
  readonly #held = new Set<T>();

  constructor(kind: string) {
    this.kind = kind;
  }
  get count(): number {
    return this.#held.size;
  }
  hold(object: T, owner: Owner, place: string): void {
    this.#held.add(object);
    object.holdKind = this;
    object.holdOwner = owner;
    object.holdPlace = place;
    object.holdNext = object;
  }
  derive(object: T, holder: Held, place: string): void {
    if (this.refuses) throw new NetError('ESHUTDOWN', 'test#1 is leaving');
    if (object.holdNext !== null) throw new Error('held twice');
    this.hold(object, holder.holdOwner!, place);
    object.holdHolder = holder;
    object.holdDerivedNext = holder.holdDerived;
    holder.holdDerived = object;
  }
  release(object: T): void {
    if (!this.#held.delete(object)) throw new Error(`${this.kind} is released twice`);
    object.holdNext = null;
    for (let each = object.holdDerived; each !== null; each = object.holdDerived) each.holdKind!.release(each);
    const holder = object.holdHolder;
    object.holdHolder = null;
    if (holder === null) return;
    if (holder.holdDerived === object) holder.holdDerived = object.holdDerivedNext;
    else {
      let at = holder.holdDerived!;
      while (at.holdDerivedNext !== object) at = at.holdDerivedNext!;
      at.holdDerivedNext = object.holdDerivedNext;
    }
  }
  succeed(): void {}
  passTo(): void {}
  check(): void {}
  [Symbol.iterator](): Iterator<T> {
    return this.#held.values();
  }
}
