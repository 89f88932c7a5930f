// A driver with a Linux end in memory, for tests. Not exported.
import type { DeviceOps, Skb, TxQueue } from '@softnet/contract';
import {
  Counter,
  DEVICE_FLAG,
  DropReason,
  enqueue,
  NetDevice,
  RxQueue,
  SkbPool,
  SkbQueue,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import { copyIn, makePool, SkbReader } from '@softnet/skb';
import { etherLink, rawLink } from '@softnet/wire';
import type { TurnTaker } from '../driver/turns.ts';
import { TapDriver } from './device.ts';
import { FakeLibc } from './fake-libc.ts';
import type { TapHost } from './tap-host.ts';
import { TunFile } from './tun-file.ts';

const OPS: DeviceOps = { open: () => {}, stop: () => {}, transmit: () => {} };

/** No such descriptors: closing them would say so. */
class FakeTunFile extends TunFile {
  override close(): void {
    this.fds = [];
  }
}

/** What was received: its bytes, and what was said of it. */
export interface Received {
  readonly queue: number;
  readonly frame: Uint8Array;
  readonly checksum: number;
  /** `checksumStart` and offset of PARTIAL. */
  readonly summed: readonly [start: number, offset: number];
  readonly gso: readonly [size: number, segs: number, type: number];
}

/** A driver, a Linux end in memory, and what the driver told its module. Descriptors are 999, 1000 and so on. */
export function fakeTap({ buffers = 8, pages = 64, queues = 0, vnetHeader = false, kind = 'tap' as 'tap' | 'tun' } = {}) {
  const pool = makePool({ buffers, pages });
  const libc = new FakeLibc();
  const device = new NetDevice(OPS, kind === 'tap' ? etherLink : rawLink);
  const count = Math.max(1, queues);
  device.txQueues = Array.from({ length: count }, (_, index) => new TransmitQueue(device, index));
  device.rxQueues = Array.from({ length: count }, (_, index) => new RxQueue(device, index));
  const reason = (name: string): DropReason => new DropReason(1, name, '');
  const told: string[] = [];
  const received: Received[] = [];
  const frames: Uint8Array[] = [];
  let latest: TurnTaker | null = null;
  const asked: TurnTaker[] = [];
  const reader = new SkbReader();
  const host: TapHost = {
    pool: { token: SkbPool, current: pool, present: true, owner: 1 },
    reasons: {
      tooLong: reason('too-long'),
      truncated: reason('truncated'),
      header: reason('header'),
      refused: reason('refused'),
      unplugged: reason('unplugged'),
    },
    deleted: new Counter('deleted'),
    received: ({ index }, skb) => {
      const frame = new Uint8Array(skb.len);
      if (reader.open(skb)) reader.copyOut(frame);
      const { checksum, csum, gsoSize, gsoSegs, gsoType } = skb;
      const summed = [skb.head + (csum >>> 16) - skb.data, csum & 0xffff] as const;
      frames.push(frame);
      received.push({ queue: index, frame, checksum, summed, gso: [gsoSize, gsoSegs, gsoType] });
      pool.release(skb);
    },
    sent: (_queue, packets, bytes) => void (packets > 0 && told.push(`sent ${packets} ${bytes}`)),
    completed: (_queue, packets, bytes) => void (packets > 0 && told.push(`completed ${packets} ${bytes}`)),
    wake: (woken: TxQueue) => {
      woken.stopped = false;
      told.push('wake');
    },
    setCarrier: (_device, on) => {
      device.carrier = on;
      told.push(on ? 'carrier' : 'no carrier');
    },
    ask: (taker) => {
      latest = taker;
      if (!taker.waiting) asked.push(taker);
      taker.waiting = true;
    },
    forget: (taker) => {
      if (asked.length === 1 && asked[0] === taker) asked.pop();
      else if (taker.waiting) asked.splice(asked.indexOf(taker), 1);
      taker.waiting = false;
    },
    warn: (message) => void told.push(message),
  };
  const fds = Array.from({ length: count }, (_, index) => 999 + index);
  const driver = new TapDriver(host, device, new FakeTunFile(libc, { kind, queues, vnetHeader }, 'lin0', fds));
  /** The event loop, then the softirq loop, until both have nothing to do. Returns how many frames were read. */
  const run = (budget = 64): number => {
    let done = 0;
    for (let turns = 0; turns < 1000; turns++) {
      libc.look();
      const taker = asked[0];
      if (taker === undefined) return done;
      host.forget(taker);
      const read = taker.turn(budget);
      if (read > budget) throw new Error('more than its budget');
      if (read === budget) host.ask(taker);
      done += read;
    }
    throw new Error('it spins');
  };
  /** One turn of the queue that asked last. */
  const turn = (budget: number): number => {
    const taker = latest!;
    host.forget(taker);
    const read = taker.turn(budget);
    if (read === budget) host.ask(taker);
    return read;
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
    told.length = 0;
  };
  const queue = device.txQueues[0]!;
  return { pool, libc, device, queue, host, told, received, frames, driver, run, turn, packet, sendPackets, send, goUp };
}

/** Bytes that say how many they are. */
export function frame(lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, at) => (lenBytes + at * 7 + (at >> 8)) & 0xff);
}
