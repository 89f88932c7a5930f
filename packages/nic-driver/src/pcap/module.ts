import type { DropReason, ModuleContext, NetDevice, Objects, Owner, Poll, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, DropWatch, ETHERTYPE, Module, one, Tap } from '@softnet/contract';
import type { Capture, CaptureOptions } from './captures.ts';
import { Captures } from './captures.ts';
import { checkCaptureOptions } from './check-capture-options.ts';
import type { CaptureHost } from './running-capture.ts';
import { RunningCapture } from './running-capture.ts';

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
    checkCaptureOptions(options);
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
