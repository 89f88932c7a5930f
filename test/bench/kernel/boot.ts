import type { ModuleClass } from '@softnet/contract';
import * as contract from '@softnet/contract';
import { Kernel } from '@softnet/kernel';
import { cpuMs } from '../span.ts';
import type { Figures, Work } from '../work.ts';

const MODULES = 20;
/** The first of them require one another in a row; each of the others requires one of those. */
const CHAIN = 10;

/** The module that `station-index` requires. */
function requiredBy(index: number): number | undefined {
  if (index === 0) return undefined;
  return index < CHAIN ? index - 1 : index - CHAIN;
}

/** The text of one module, with code of its own: twenty real ones do not share functions that are compiled already. */
function stationText(index: number): string {
  const required = requiredBy(index);
  const requires = required === undefined ? '' : `one(door(${required}))`;
  return `
const { Module, Held, defineService, one } = contract;
const door = (index) => defineService({ name: 'Door' + index, version: '1.0.0' });
const Door = door(${index});
const Corridor = defineService({ name: 'Corridor${index}', version: '1.0.0' });
class Visitor${index} extends Held { ticket = ${index}; }
class Station${index} {
  start(ctx) {
    this.visitors = ctx.objects('visitor', { drain: 'wait', close: (visitor) => this.visitors.release(visitor) });
    this.limit = ctx.sysctl.define('bench.station${index}.limit', { type: 'int', default: ${index}, min: 0, max: 1000, summary: 'visitors' });
    this.quiet = ctx.sysctl.define('bench.station${index}.quiet', { type: 'bool', default: false, summary: 'no bell' });
    this.timer = ctx.timer((station) => { station.ticks = ${index}; }, this, 'station${index}.tick');
    this.timer.arm(60_000_000);
    ${required === undefined ? '' : `this.below = ctx.port(door(${required}));`}
    ctx.door(Door, { enter: (owner) => { const visitor = new Visitor${index}(); this.visitors.hold(visitor, owner, 'enter'); return visitor; } });
    ctx.corridor(Corridor, { leave: (visitor) => this.visitors.release(visitor) });
  }
  stop() { this.timer.cancel(); }
}
Module({ name: 'station-${index}', version: '1.0.0', requires: [${requires}], provides: [Door, Corridor] })(Station${index});
return Station${index};
`;
}

function stations(): ModuleClass[] {
  return Array.from({ length: MODULES }, (_none, index) => new Function('contract', stationText(index))(contract) as ModuleClass);
}

/** All are offered; those at the ends are asked for, and bring along what they require. */
async function boot(modules: readonly ModuleClass[]): Promise<Kernel> {
  const kernel = new Kernel({ name: 'bench' });
  kernel.offer(...modules);
  for (let index = CHAIN; index < MODULES; index++) await kernel.load(`station-${index}`);
  return kernel;
}

/** Returns how to read it: what passed on the clock, and of CPU (compiling and collecting on other threads included). */
function stopwatch(): () => Figures {
  const [fromMs, fromCpuMs] = [performance.now(), cpuMs()];
  return () => ({ ms: performance.now() - fromMs, 'ms CPU': cpuMs() - fromCpuMs });
}

/** A process boots once, with cold code: this is measured once in each. */
async function bootMs(): Promise<Figures> {
  const modules = stations();
  const stop = stopwatch();
  const kernel = await boot(modules);
  const figures = stop();
  const live = kernel.modules().filter(({ state }) => state === 'live').length;
  if (live !== MODULES) throw new Error(`${live} of ${MODULES} modules are live`);
  await kernel.shutdown();
  return figures;
}

async function unloadMs(): Promise<Figures> {
  const kernel = await boot(stations());
  const stop = stopwatch();
  const { gone } = await kernel.unload('station-0', { cascade: true });
  const figures = stop();
  if (gone.length !== MODULES) throw new Error(`${gone.length} of ${MODULES} modules are gone`);
  return figures;
}

export function bootWorks(): Work[] {
  return [
    {
      name: 'boot-20',
      summary: 'a kernel boots with twenty modules, after imports, in a fresh process',
      units: { ms: 'less', 'ms CPU': 'less' },
      note: `goal 50 ms. A row of ten and ten beside it; each has a door, a corridor, a kind of objects, a timer and two settings.`,
      subjects: [{ name: 'softnet', measure: bootMs }],
    },
    {
      name: 'unload-20',
      summary: 'the first of those twenty is unloaded, and the others before it',
      units: { ms: 'less', 'ms CPU': 'less' },
      subjects: [{ name: 'softnet', measure: unloadMs }],
    },
  ];
}
