import type { ModuleContext, NetDevice, SoftnetModule } from '@softnet/contract';
import { DeviceKind, DeviceListener, Devices, DeviceTraffic, Module, one } from '@softnet/contract';
import type { CaptureOptions } from '../../pcap/captures.ts';
import { checkCaptureOptions } from '../../pcap/check-capture-options.ts';
import { RunningCapture } from '../../pcap/running-capture.ts';
import { OnlookerPassage } from '../onlooker-passage.ts';
import { PASSES_ALL, passageOf, StackedDevices } from '../stacked-devices.ts';
import type { CapturerHost, CaptureState } from './frame-capturer.ts';
import { FrameCapturer } from './frame-capturer.ts';
import { FrameCaptures } from './frame-captures.ts';

/** Devices that are stacked on another one and write what passes to pcapng, exactly as it stands there in the stack of devices. */
@Module({
  name: 'capture',
  version: '1.0.0',
  summary: 'devices that capture what passes through them, for Wireshark',
  requires: [one(Devices), one(DeviceTraffic)],
  provides: [DeviceKind, DeviceListener, FrameCaptures],
})
export class CaptureModule implements SoftnetModule {
  /** Those that look on. */
  readonly #capturers = new Set<FrameCapturer>();

  start(ctx: ModuleContext): void {
    const flush = ctx.poll({ poll: () => this.#flush() }, 'capture.flush');
    const host: CapturerHost = {
      collected: () => flush.raise(),
      ended: (capturer) => void this.#capturers.delete(capturer),
    };
    new StackedDevices(ctx, {
      kind: 'capture',
      passes: PASSES_ALL,
      options: ['write', 'ring', 'filter', 'snapLenBytes', 'epochUs'],
      state: (options) => makeCapture(ctx, options as CaptureOptions),
      passage: (link, state) => {
        const capturer = new FrameCapturer(host, link.device, state as CaptureState);
        this.#capturers.add(capturer);
        return new OnlookerPassage(link, capturer);
      },
    });
    const of = (device: NetDevice): FrameCapturer => (passageOf('capture', device) as OnlookerPassage).onlooker as FrameCapturer;
    ctx.corridor(FrameCaptures, { of: (device) => of(device).capture });
  }

  #flush(): number {
    for (const { capture } of this.#capturers) capture.flush();
    return 0;
  }
}

/** @throws NetError EINVAL, saying which option. */
function makeCapture({ clock }: ModuleContext, { write, ring, filter, snapLenBytes, epochUs }: CaptureOptions): CaptureState {
  // What is not given is left out: these are also asked for by whether they are there.
  const given = Object.entries({ write, ring, filter, snapLenBytes, epochUs }).filter(([, value]) => value !== undefined);
  const options: CaptureOptions = Object.fromEntries(given);
  checkCaptureOptions(options);
  const host = { readUs: () => clock.readUs(), collected: () => {}, ended: () => {}, deviceOf: () => null };
  return { capture: new RunningCapture(host, options), host };
}
