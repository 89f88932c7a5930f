// A driver with a Linux end in memory, for tests. Not exported.
import type { DeviceOps, Skb } from '@softnet/contract';
import { Counter, DEVICE_FLAG, DropReason, enqueue, NetDevice, RxQueue, SkbPool, SkbQueue, TxQueue } from '@softnet/contract';
import { copyIn, makePool, SkbReader } from '@softnet/skb';
import { etherLink, rawLink } from '@softnet/wire';
import { FakeLibc, frame } from '../descriptor/fake-libc.ts';
import type { TurnTaker } from '../driver/turns.ts';
import { TapDriver } from './device.ts';
import type { TapHost } from './tap-host.ts';
import { TunFile } from './tun-file.ts';

/** No such descriptors: closing them would say so. */
class FakeTunFile extends TunFile {
  override close(): void {
    this.fds = [];
  }
}

/** What was received: its bytes, and what was said of it. */
interface Received {
  readonly queue: number;
  readonly frame: Uint8Array;
  readonly checksum: number;
  /** `checksumStart` and offset of PARTIAL. */
  readonly summed: readonly [start: number, offset: number];
  readonly gso: readonly [size: number, segs: number, type: number];
}

/** What a driver told its module, and who asked for a turn. */
class FakeModule {
  readonly told: string[] = [];
  readonly received: Received[] = [];
  readonly frames: Uint8Array[] = [];
  readonly asked: TurnTaker[] = [];
  /** Who asked last. */
  latest: TurnTaker | null = null;
  readonly #reader = new SkbReader();

  host(pool: SkbPool, device: NetDevice): TapHost {
    const reason = (name: string): DropReason => new DropReason(1, name, '');
    return {
      pool: { token: SkbPool, current: pool, present: true, owner: 1 },
      reasons: {
        tooLong: reason('too-long'),
        truncated: reason('truncated'),
        header: reason('header'),
        refused: reason('refused'),
        unplugged: reason('unplugged'),
      },
      deleted: new Counter('deleted'),
      received: (queue, skb) => this.#take(queue, skb),
      sent: (_queue, packets, bytes) => void (packets > 0 && this.told.push(`sent ${packets} ${bytes}`)),
      completed: (_queue, packets, bytes) => void (packets > 0 && this.told.push(`completed ${packets} ${bytes}`)),
      wake: (woken) => {
        woken.stopped = false;
        this.told.push('wake');
      },
      setCarrier: (_device, on) => {
        device.carrier = on;
        this.told.push(on ? 'carrier' : 'no carrier');
      },
      ask: (taker) => this.ask(taker),
      forget: (taker) => this.forget(taker),
      warn: (message) => void this.told.push(message),
    };
  }

  ask(taker: TurnTaker): void {
    this.latest = taker;
    if (!taker.waiting) this.asked.push(taker);
    taker.waiting = true;
  }

  forget(taker: TurnTaker): void {
    const { asked } = this;
    if (asked.length === 1 && asked[0] === taker) asked.pop();
    else if (taker.waiting) asked.splice(asked.indexOf(taker), 1);
    taker.waiting = false;
  }

  #take({ index }: RxQueue, skb: Skb): void {
    const frame = new Uint8Array(skb.len);
    if (this.#reader.open(skb)) this.#reader.copyOut(frame);
    const { checksum, csum, gsoSize, gsoSegs, gsoType } = skb;
    this.frames.push(frame);
    this.received.push({
      queue: index,
      frame,
      checksum,
      summed: [skb.head + (csum >>> 16) - skb.data, csum & 0xffff],
      gso: [gsoSize, gsoSegs, gsoType],
    });
    skb.memory.pool.release(skb);
  }
}

function fakeDevice(kind: 'tap' | 'tun', queues: number): NetDevice {
  const ops: DeviceOps = { open: () => {}, stop: () => {}, transmit: () => {} };
  const device = new NetDevice(ops, kind === 'tap' ? etherLink : rawLink);
  device.txQueues = Array.from({ length: queues }, (_, index) => new TxQueue(device, index));
  device.rxQueues = Array.from({ length: queues }, (_, index) => new RxQueue(device, index));
  return device;
}

/** A driver with a Linux end in memory. Descriptors are 999, 1000 and so on. */
export function fakeTap({ buffers = 8, pages = 64, queues = 0, vnetHeader = false, kind = 'tap' as 'tap' | 'tun' } = {}) {
  const pool = makePool({ buffers, pages });
  const libc = new FakeLibc();
  const device = fakeDevice(kind, Math.max(1, queues));
  const module = new FakeModule();
  const host = module.host(pool, device);
  const fds = device.rxQueues.map((_, index) => 999 + index);
  const driver = new TapDriver(host, device, new FakeTunFile(libc, { kind, queues, vnetHeader }, 'lin0', fds));
  /** One turn of the queue that asked last. */
  const turn = (budget: number, taker: TurnTaker = module.latest!): number => {
    module.forget(taker);
    const read = taker.turn(budget);
    if (read > budget) throw new Error('more than its budget');
    if (read === budget) module.ask(taker);
    return read;
  };
  /** The event loop, then the softirq loop, until both have nothing to do. Returns how many frames were read. */
  const run = (budget = 64): number => {
    let done = 0;
    for (let turns = 0; turns < 1000; turns++) {
      libc.look();
      const taker = module.asked[0];
      if (taker === undefined) return done;
      done += turn(budget, taker);
    }
    throw new Error('it spins');
  };
  const sendPackets = (packets: readonly Skb[], queue = 0): SkbQueue => {
    const batch = new SkbQueue();
    for (const skb of packets) enqueue(batch, skb);
    driver.transmit(device.txQueues[queue]!, batch);
    return batch;
  };
  const packet = (bytes: Uint8Array): Skb => {
    const skb = pool.alloc(64, Math.min(bytes.length, 1900))!;
    copyIn(skb, bytes);
    return skb;
  };
  const send = (...lengths: readonly number[]): SkbQueue => sendPackets(lengths.map((lenBytes) => packet(frame(lenBytes))));
  const goUp = (): void => {
    driver.open();
    device.flags |= DEVICE_FLAG.UP;
    run();
    module.told.length = 0;
  };
  const { told, received, frames } = module;
  return {
    pool,
    libc,
    device,
    queue: device.txQueues[0]!,
    host,
    told,
    received,
    frames,
    driver,
    run,
    turn,
    packet,
    sendPackets,
    send,
    goUp,
  };
}
