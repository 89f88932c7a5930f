import type { DropReason, ModuleContext, NetDevice, Objects, Owner, Poll, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, DropWatch, ETHERTYPE, Module, NetError, one, Tap } from '@softnet/contract';
import type { Capture, CaptureOptions, RingSize } from './captures.ts';
import { Captures } from './captures.ts';
import type { CaptureHost } from './running-capture.ts';
import { MAX_SNAP_LEN_BYTES, RunningCapture } from './running-capture.ts';

const MIN_RING_BYTES = 65_536;
const MAX_RING_BYTES = 2 ** 30;

/**
 * Captures what devices send and receive, and what is dropped, with the reason, to pcapng. A capture is somebody's, who may be writing a
 * file: so it holds the module up (`wait`) and force closes it, as a packet socket of tcpdump's would.
 */
@Module({
  name: 'pcap',
  version: '1.0.0',
  summary: 'captures of devices and drops, for Wireshark',
  requires: [one(DeviceTraffic)],
  provides: [Captures, Tap, DropWatch],
})
export class PcapModule implements SoftnetModule {
  #captures!: Objects<RunningCapture>;
  #host!: CaptureHost;
  #flush!: Poll;
  /** Those that run; replaced whole. */
  #running: readonly RunningCapture[] = [];

  start(ctx: ModuleContext): void {
    const traffic = ctx.port(DeviceTraffic);
    this.#captures = ctx.objects<RunningCapture>('capture', {
      drain: 'wait',
      close: (capture) => capture.close(),
      describe: (capture) => `of ${capture.ifindex === 0 ? 'all devices' : (traffic.current.byIndex(capture.ifindex)?.name ?? 'a device')}`,
    });
    this.#flush = ctx.poll({ poll: () => this.#flushAll() }, 'pcap.flush');
    this.#host = {
      readUs: () => ctx.clock.readUs(),
      collected: () => this.#flush.raise(),
      ended: (capture) => this.#ended(capture),
      deviceOf: (ifindex) => traffic.current.byIndex(ifindex),
    };
    ctx.door(Captures, { start: (options, owner) => this.#start(options, owner) });
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap: (skb, device) => this.#tap(skb, device) }, 'corridor');
    ctx.contribute(DropWatch, { dropped: (skb, reason) => this.#dropped(skb, reason) }, 'corridor');
  }

  #start(options: CaptureOptions, owner: Owner): Capture {
    checkOptions(options);
    const capture = new RunningCapture(this.#host, options);
    this.#captures.hold(capture, owner, 'pcap.start');
    this.#running = [...this.#running, capture];
    this.#flush.raise();
    return capture;
  }

  #ended(capture: RunningCapture): void {
    this.#running = this.#running.filter((each) => each !== capture);
    this.#captures.release(capture);
  }

  #tap(skb: Skb, device: NetDevice): void {
    const running = this.#running;
    for (let i = 0; i < running.length; i++) running[i]!.tap(skb, device);
  }

  #dropped(skb: Skb, reason: DropReason): void {
    const running = this.#running;
    for (let i = 0; i < running.length; i++) if (running[i]!.wantsDrops) running[i]!.dropped(skb, reason);
  }

  #flushAll(): number {
    const running = this.#running;
    for (let i = 0; i < running.length; i++) running[i]!.flush();
    return running.length;
  }
}

function checkOptions({ device, write, ring, snapLenBytes, epochUs }: CaptureOptions): void {
  const refuse = (option: string, takes: string, got: unknown): NetError =>
    new NetError('EINVAL', `capture: ${option} takes ${takes}, got ${String(got)}`);
  if (write === undefined && ring === undefined) throw refuse('write', 'a function of the bytes, where there is no ring', write);
  if (write !== undefined && typeof write !== 'function') throw refuse('write', 'a function of the bytes', write);
  if (write !== undefined && ring !== undefined) throw refuse('ring', 'the place of write', 'both');
  if (ring !== undefined) checkRing(ring, refuse);
  if (device !== undefined && device !== null && !(device.ifindex > 0))
    throw refuse('device', 'one that is registered, or null', device.name);
  const isLength = Number.isInteger(snapLenBytes) && snapLenBytes! >= 1 && snapLenBytes! <= MAX_SNAP_LEN_BYTES;
  if (snapLenBytes !== undefined && !isLength) throw refuse('snapLenBytes', `1 to ${MAX_SNAP_LEN_BYTES}`, snapLenBytes);
  const isTime = Number.isSafeInteger(epochUs) && epochUs! >= 0;
  if (epochUs !== undefined && !isTime) throw refuse('epochUs', 'whole µs since 1970', epochUs);
}

function checkRing({ maxBytes, maxPackets }: RingSize, refuse: (option: string, takes: string, got: unknown) => NetError): void {
  const isSize = Number.isInteger(maxBytes) && maxBytes! >= MIN_RING_BYTES && maxBytes! <= MAX_RING_BYTES;
  if (maxBytes !== undefined && !isSize) throw refuse('ring.maxBytes', `${MIN_RING_BYTES} to ${MAX_RING_BYTES}`, maxBytes);
  if (maxPackets !== undefined && !(Number.isSafeInteger(maxPackets) && maxPackets >= 1))
    throw refuse('ring.maxPackets', '1 and up', maxPackets);
}
