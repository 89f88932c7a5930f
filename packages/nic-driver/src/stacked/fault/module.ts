import type { ModuleContext, NetDevice, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, DeviceListener, Devices, DeviceTraffic, Module, NetError, one } from '@softnet/contract';
import { passageOf, StackedDevices } from '../stacked-devices.ts';
import type { FaultHost } from './fault-direction.ts';
import { changeLine, FaultLine } from './fault-line.ts';
import type { FaultLines } from './fault-passage.ts';
import { FaultPassage } from './fault-passage.ts';
import type { FaultChanges } from './fault-settings.ts';
import { changedFaults, FAULT_OPTIONS } from './fault-settings.ts';
import type { FaultOptions } from './faults.ts';
import { Faults } from './faults.ts';
import { FrameDamage } from './frame-damage.ts';

/** Bursts are cut and checksums finished before frames get here: each is lost and damaged for itself, and damage is found. */
const PASSES: number = DEVICE_FEATURE.SCATTER | DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.RX_HASH | DEVICE_FEATURE.RX_GSO;

/** Devices that are stacked on another one and do to its frames what bad links do. Linux has netem, a qdisc. */
@Module({
  name: 'fault',
  version: '1.0.0',
  summary: 'devices that lose, double, swap, damage, delay and slow down what passes through them',
  requires: [one(Devices), one(DeviceTraffic)],
  provides: [DeviceKind, DeviceListener, Faults],
})
export class FaultModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const host: FaultHost = {
      clock: ctx.clock,
      damage: new FrameDamage(),
      lost: ctx.dropReason('fault.lost', 'the fault injector lost it, as it was told to (loss)'),
      cut: ctx.dropReason('fault.cut', 'under way in a fault injector that went down'),
      full: ctx.dropReason('fault.full', 'received while as many frames as may be were under way in the fault injector (queueFrames)'),
      timer: (fire, direction, place) => ctx.timer(fire, direction, place),
    };
    new StackedDevices(ctx, {
      kind: 'fault',
      passes: PASSES,
      options: ['seed', ...FAULT_OPTIONS],
      state: makeLines,
      passage: (link, lines) => new FaultPassage(host, link, lines as FaultLines),
    });
    const of = (device: NetDevice): FaultPassage => passageOf('fault', device) as FaultPassage;
    ctx.corridor(Faults, {
      set: (device, changes) => of(device).set(changes),
      settings: (device, direction) => of(device).settings(direction),
      counts: (device, direction) => of(device).counts(direction),
    });
  }
}

function makeLines(options: FaultOptions): FaultLines {
  const { seed = 1 } = options;
  if (!Number.isSafeInteger(seed)) throw new NetError('EINVAL', `fault: seed takes an integer, got ${String(seed)}`);
  return { tx: makeLine('tx', seed, options), rx: makeLine('rx', seed, options) };
}

function makeLine(direction: 'tx' | 'rx', seed: number, changes: FaultChanges): FaultLine {
  const line = new FaultLine(seed, direction === 'tx' ? 0 : 1);
  changeLine(line, changedFaults(direction, line.settings, changes));
  return line;
}
