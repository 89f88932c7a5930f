import type { ModuleContext, NetDevice, SoftnetModule } from '@softnet/contract';
import { DeviceKind, DeviceListener, Devices, DeviceTraffic, Module, one } from '@softnet/contract';
import { OnlookerPassage } from '../onlooker-passage.ts';
import { PASSES_ALL, passageOf, StackedDevices } from '../stacked-devices.ts';
import { TraceLog } from './trace-log.ts';
import type { TracerHost } from './tracer.ts';
import { Tracer } from './tracer.ts';
import { Traces } from './traces.ts';

/** Devices that are stacked on another one and say each frame that passes in one line. */
@Module({
  name: 'trace',
  version: '1.0.0',
  summary: 'devices that say what passes through them, a line for each frame',
  requires: [one(Devices), one(DeviceTraffic)],
  provides: [DeviceKind, DeviceListener, Traces],
})
export class TraceModule implements SoftnetModule {
  /** Those that look on. */
  readonly #tracers = new Set<Tracer>();

  start(ctx: ModuleContext): void {
    const flush = ctx.poll({ poll: () => this.#flush() }, 'trace.flush');
    const host: TracerHost = {
      clock: ctx.clock,
      told: () => flush.raise(),
      ended: (tracer) => void this.#tracers.delete(tracer),
    };
    new StackedDevices(ctx, {
      kind: 'trace',
      passes: PASSES_ALL,
      options: ['write', 'keepLines'],
      state: (options) => new TraceLog(options),
      passage: (link, log) => {
        const tracer = new Tracer(host, link.device, log as TraceLog);
        this.#tracers.add(tracer);
        return new OnlookerPassage(link, tracer);
      },
    });
    const of = (device: NetDevice): TraceLog => ((passageOf('trace', device) as OnlookerPassage).onlooker as Tracer).log;
    ctx.corridor(Traces, {
      lines: (device) => of(device).kept(),
      counts: (device) => {
        const { lines, missed, error } = of(device);
        return { lines, missed, error };
      },
    });
  }

  #flush(): number {
    for (const { log } of this.#tracers) log.flush();
    return 0;
  }
}
