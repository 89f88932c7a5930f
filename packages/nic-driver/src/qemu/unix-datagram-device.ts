import type { NetDevice, Skb, SkbQueue, Timer, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { Watch } from '../descriptor/libc.ts';
import { ReadRoom } from '../descriptor/read-room.ts';
import { ScatterList } from '../descriptor/scatter-list.ts';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { LINK_BYTES } from '../driver/link-bytes.ts';
import type { TurnTaker } from '../driver/turns.ts';
import type { QemuHost } from './device.ts';
import { FRAME_LIMIT_BYTES } from './framing.ts';
import type { UnixDatagramLink } from './unix-datagram-link.ts';
import { LINUX } from './unix-error.ts';

/** From one look whether a peer is there to the next: doubled each time, up to the most, until it comes or goes. A look is one call. */
const FIRST_DELAY_US = 50_000;
const MOST_DELAY_US = 1_000_000;
/** Ours: Linux is not asked. */
const UNSAYABLE = -1;

/**
 * Works one device at a unix datagram socket: a datagram is a frame, which Linux reads and writes in packet memory. Reading as a tap
 * does it: the event loop says that there is something, its watch rests, and the softirq loop reads until there is nothing more.
 *
 * Carrier is there while the socket is connected, which is while a peer's socket is at the other path.
 */
export class UnixDatagramDriver implements DeviceDriver, TurnTaker {
  readonly outside: UnixDatagramLink;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: QemuHost;
  readonly #device: NetDevice;
  readonly #room: ReadRoom;
  readonly #scatter: ScatterList;
  readonly #timer: Timer;
  #watch: Watch | null = null;
  #delayUs = FIRST_DELAY_US;
  /** It is time to look whether the peer is there. */
  #due = false;
  /** The queue stands, as Linux, or the peer, is full. */
  #wantsRoom = false;
  /** What was said of the peer last, so that it is not said again and again. */
  #said = 0;
  #left = false;

  constructor(host: QemuHost, device: NetDevice, link: UnixDatagramLink) {
    this.#host = host;
    this.#device = device;
    this.outside = link;
    this.#room = new ReadRoom(link.libc, FRAME_LIMIT_BYTES);
    this.#scatter = new ScatterList((bytes) => link.libc.addressOf(bytes));
    this.#timer = host.timerFor(this);
  }

  /** Takes the link: a new one, or that of the last generation. */
  begin(): void {
    const { libc, fd } = this.outside;
    this.#watch = libc.watch(fd, () => this.#ready());
    this.#wantsRoom = this.#device.txQueues[0]!.stopped;
    this.tryAgain();
  }

  open(): void {}

  stop(): void {}

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    this.#left = true;
    this.#timer.cancel();
    this.#watch?.close();
    this.#watch = null;
    this.#host.forget(this);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const link = this.outside;
    const { lenPackets, lenBytes } = batch;
    let packets = 0;
    let bytes = 0;
    while (batch.first !== null && link.connected) {
      const { len } = batch.first;
      const errno = this.#write(batch.first);
      if (errno === LINUX.EAGAIN) {
        this.#waitForRoom(queue);
        break;
      }
      const skb = dequeue(batch)!;
      if (errno === 0) {
        packets++;
        bytes += len;
        skb.memory.pool.release(skb);
      } else this.#notSent(skb, errno);
    }
    if (!link.connected) this.#device.stats.txDropped += purge(batch, this.#host.reasons.unconnected);
    this.#host.sent(queue, packets, bytes);
    this.#host.completed(queue, lenPackets - batch.lenPackets - packets, lenBytes - batch.lenBytes - bytes);
  }

  /** In the softirq loop. */
  turn(budget: number): number {
    const link = this.outside;
    // That one has gone is told before the next is there.
    this.#tellCarrier();
    if (this.#left) return 0;
    if (!link.connected) this.#look();
    let count = 0;
    let errno = 0;
    while (count < budget) {
      errno = link.connected ? this.#read() : this.#discard();
      if (errno !== 0) break;
      count++;
    }
    this.#room.end();
    if (errno !== 0 && errno !== LINUX.EAGAIN) this.#unreadable(errno);
    // What the peer sent is read before: looking may lose it.
    else if (errno !== 0 && this.#due) this.#look();
    this.#tellCarrier();
    this.#wake();
    // After an error it rests until the timer: it could tell of the same one for ever.
    if (errno === LINUX.EAGAIN) this.#watch?.start(this.#wantsRoom);
    return count;
  }

  /** It is time to look. */
  tryAgain(): void {
    this.#due = true;
    this.#host.ask(this);
  }

  /** The event loop says: there is something. */
  #ready(): void {
    this.#watch?.stop();
    this.#host.ask(this);
  }

  /** Whether a peer is there; whoever sends something wants to be found at once, and so this is not only done by the timer. */
  #look(): void {
    const link = this.outside;
    const before = link.connected;
    const errno = link.connect();
    this.#due = false;
    if (link.connected !== before) this.#delayUs = FIRST_DELAY_US;
    this.#lookLater();
    if (errno === 0) {
      if (!before) this.#host.connections.value++;
      this.#said = 0;
    } else if (before) this.#say('the peer is gone', errno);
    else if (!isAbsence(errno)) this.#say('the peer cannot be connected to', errno);
  }

  #lookLater(): void {
    this.#timer.arm(this.#delayUs);
    this.#delayUs = Math.min(this.#delayUs * 2, MOST_DELAY_US);
  }

  #disconnect(): void {
    this.outside.disconnect();
    this.#delayUs = FIRST_DELAY_US;
  }

  /** Reads a frame and hands it on, or drops it with a reason. 0; or Linux's number of why there is none. */
  #read(): number {
    const { stats, mtuBytes } = this.#device;
    const { reasons, pool } = this.#host;
    const maxBytes = mtuBytes + LINK_BYTES;
    // One more, so that a frame that is too long shows: what does not fit is lost without a word.
    const roomBytes = this.#room.layOut(pool.current, maxBytes + 1, 0);
    if (roomBytes === 0) return this.#miss();
    const readBytes = this.#room.read(this.outside.fd);
    if (readBytes < 0) return -readBytes;
    if (readBytes === 0 || readBytes > maxBytes) {
      stats.rxErrors++;
      (readBytes === 0 ? reasons.empty : reasons.tooLong).count++;
    } else if (readBytes === roomBytes && roomBytes <= maxBytes) {
      // Too few pages were to be had, and the pool has counted that.
      stats.rxMissed++;
    } else this.#host.received(this.#device, this.#room.take(readBytes));
    return 0;
  }

  /** Packet memory is out, and the pool has counted that: a frame goes, so that newer ones come. */
  #miss(): number {
    const errno = this.#room.discard(this.outside.fd);
    if (errno === 0) this.#device.stats.rxMissed++;
    return errno;
  }

  /** Of somebody who is not at the other path. */
  #discard(): number {
    const errno = this.#room.discard(this.outside.fd);
    if (errno !== 0) return errno;
    this.#device.stats.rxErrors++;
    this.#host.reasons.unconnected.count++;
    return 0;
  }

  #unreadable(errno: number): void {
    this.#disconnect();
    this.#say('the peer is gone', errno);
    this.#lookLater();
  }

  /** 0, or why not. */
  #write(skb: Skb): number {
    // To QEMU a datagram of nothing is the end.
    if (skb.len === 0 || !this.#scatter.fill(skb)) return UNSAYABLE;
    return this.#scatter.writeTo(this.outside.libc, this.outside.fd);
  }

  #notSent(skb: Skb, errno: number): void {
    const { reasons } = this.#host;
    this.#device.stats.txErrors++;
    skb.memory.pool.drop(skb, errno === LINUX.EMSGSIZE ? reasons.tooLong : skb.len === 0 ? reasons.empty : reasons.refused);
    if (errno === LINUX.EMSGSIZE || errno === UNSAYABLE) return;
    this.#say('the host refuses datagrams', errno);
    if (!isAbsence(errno)) return;
    this.#disconnect();
    // Another may be there already; the carrier goes in our turn, not in the middle of a transmission.
    this.#host.ask(this);
  }

  #waitForRoom(queue: TxQueue): void {
    queue.stopped = true;
    this.#wantsRoom = true;
    // A watch that rests begins at the end of the turn that is asked for.
    if (!this.waiting) this.#watch?.start(true);
  }

  #wake(): void {
    const { libc, fd, connected } = this.outside;
    if (!this.#wantsRoom || (connected && !libc.canWrite(fd))) return;
    this.#wantsRoom = false;
    const queue = this.#device.txQueues[0]!;
    if (queue.stopped) this.#host.wake(queue);
  }

  #tellCarrier(): void {
    const { connected } = this.outside;
    if (this.#device.carrier !== connected) this.#host.setCarrier(this.#device, connected);
  }

  #say(what: string, errno: number): void {
    if (errno === this.#said) return;
    this.#said = errno;
    this.#host.inform(what, { device: this.#device.name, errno });
  }
}

/** Nobody is there, or somebody who is connected to somebody else (EPERM): it is tried again. */
function isAbsence(errno: number): boolean {
  switch (errno) {
    case LINUX.EPERM:
    case LINUX.ENOENT:
    case LINUX.EPIPE:
    case LINUX.ECONNRESET:
    case LINUX.ENOTCONN:
    case LINUX.ECONNREFUSED:
      return true;
    default:
      return false;
  }
}
