// A driver at a unix datagram socket in memory, for tests. Not exported.
import type { DeviceOps, Skb, Timer } from '@softnet/contract';
import { Counter, DropReason, enqueue, NetDevice, RxQueue, SkbPool, SkbQueue, TxQueue } from '@softnet/contract';
import { copyIn, makePool, SkbReader } from '@softnet/skb';
import { etherLink } from '@softnet/wire';
import { FakeLibc, frame } from '../descriptor/fake-libc.ts';
import type { SocketLibc } from '../descriptor/libc.ts';
import type { QemuHost } from './device.ts';
import { UnixDatagramDriver } from './unix-datagram-device.ts';
import { UnixDatagramLink } from './unix-datagram-link.ts';

const FD = 999;
const ENDPOINT = Object.freeze({ local: Object.freeze({ path: '/nowhere/a' }), remote: Object.freeze({ path: '/nowhere/b' }) });

/** One socket. `readErrors` and `writeErrors` say what Linux says. */
class FakeSocketLibc extends FakeLibc implements SocketLibc {
  /** What connect(2) to the peer says: 0, it is there. */
  absence = 0;
  /** Calls of connect(2) to the peer, and to nobody. */
  looks = 0;
  partings = 0;

  socket(): number {
    return FD;
  }

  bind(): number {
    return 0;
  }

  connect(_fd: number, address: Uint8Array): number {
    if (address[0] === 0) {
      this.partings++;
      return 0;
    }
    this.looks++;
    return this.absence === 0 ? 0 : this.fail(this.absence);
  }

  setOption(): number {
    return 0;
  }
}

/** No such descriptor: closing it would say so. */
class FakeLink extends UnixDatagramLink {
  override close(): void {
    this.connected = false;
    this.fd = -1;
  }
}

/** Fires when it is told to. */
class FakeTimer implements Timer {
  armed = false;
  whenUs = 0;

  arm(delayUs: number): void {
    this.armAt(delayUs);
  }

  armAt(whenUs: number): void {
    this.armed = true;
    this.whenUs = whenUs;
  }

  cancel(): void {
    this.armed = false;
  }
}

/** What a driver told its module. */
class FakeModule {
  readonly told: string[] = [];
  readonly frames: Uint8Array[] = [];
  readonly timer = new FakeTimer();
  readonly #reader = new SkbReader();

  host(pool: SkbPool): QemuHost {
    const reason = (name: string): DropReason => new DropReason(1, name, '');
    const fakes: Omit<QemuHost, 'buffers' | 'stallTimerFor'> = {
      pool: { token: SkbPool, current: pool, present: true, owner: 1 },
      connections: new Counter('connections'),
      reasons: {
        lyingLength: reason('lying-length'),
        cutOff: reason('cut-off'),
        stalled: reason('stalled'),
        empty: reason('empty'),
        full: reason('full'),
        refused: reason('refused'),
        tooLong: reason('too-long'),
        unconnected: reason('unconnected'),
      },
      received: (_device, skb) => this.#take(skb),
      sent: (_queue, packets, bytes) => void (packets > 0 && this.told.push(`sent ${packets} ${bytes}`)),
      completed: (_queue, packets, bytes) => void (packets > 0 && this.told.push(`completed ${packets} ${bytes}`)),
      wake: (queue) => {
        queue.stopped = false;
        this.told.push('wake');
      },
      setCarrier: (device, on) => {
        device.carrier = on;
        this.told.push(on ? 'carrier' : 'no carrier');
      },
      ask: (taker) => {
        taker.waiting = true;
      },
      forget: (taker) => {
        taker.waiting = false;
      },
      timerFor: () => this.timer,
      inform: (message, { errno }) => void this.told.push(`${message}: ${String(errno)}`),
    };
    // Of streams only.
    return fakes as QemuHost;
  }

  #take(skb: Skb): void {
    const frame = new Uint8Array(skb.len);
    if (this.#reader.open(skb)) this.#reader.copyOut(frame);
    this.frames.push(frame);
    skb.memory.pool.release(skb);
  }
}

function fakeDevice(): NetDevice {
  const ops: DeviceOps = { open: () => {}, stop: () => {}, transmit: () => {} };
  const device = new NetDevice(ops, etherLink);
  device.txQueues = [new TxQueue(device, 0)];
  device.rxQueues = [new RxQueue(device, 0)];
  return device;
}

/** A driver with a socket in memory, whose peer is there or says why not. It has had its first turn. */
export function fakeUnix({ buffers = 8, pages = 64, absence = 0 } = {}) {
  const pool = makePool({ buffers, pages });
  const libc = new FakeSocketLibc();
  libc.absence = absence;
  const device = fakeDevice();
  const module = new FakeModule();
  const { told, frames, timer } = module;
  const host = module.host(pool);
  const link = new FakeLink(ENDPOINT, libc);
  link.begin();
  const driver = new UnixDatagramDriver(host, device, link);
  const turn = (budget = 64): number => {
    driver.waiting = false;
    const count = driver.turn(budget);
    if (count > budget) throw new Error('more than its budget');
    if (count === budget) driver.waiting = true;
    return count;
  };
  /** The event loop, then the softirq loop, until both have nothing to do. Returns how many datagrams were read. */
  const run = (): number => {
    let done = 0;
    for (let turns = 0; turns < 1000; turns++) {
      libc.look();
      if (!driver.waiting) return done;
      done += turn();
    }
    throw new Error('it spins');
  };
  const packet = (bytes: Uint8Array): Skb => {
    const skb = pool.alloc(64, Math.min(bytes.length, 1900))!;
    copyIn(skb, bytes);
    return skb;
  };
  /** What is left of it. */
  const send = (...lengths: readonly number[]): SkbQueue => {
    const batch = new SkbQueue();
    for (const lenBytes of lengths) enqueue(batch, packet(frame(lenBytes)));
    driver.transmit(device.txQueues[0]!, batch);
    return batch;
  };
  /** The timer's time has come. */
  const fire = (): number => {
    if (!timer.armed) throw new Error('the timer is not armed');
    timer.armed = false;
    driver.tryAgain();
    return run();
  };
  driver.begin();
  run();
  if (device.carrier) told.length = 0;
  return { pool, libc, device, queue: device.txQueues[0]!, host, link, driver, timer, told, frames, turn, run, fire, packet, send };
}
