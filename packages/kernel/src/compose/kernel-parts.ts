import * as contract from '@softnet/contract';
import { KernelEvents } from '../kernel-events.ts';
import type { KernelOptions } from '../kernel-options.ts';
import type { Generation } from '../life/generation.ts';
import type { Alarm } from '../life/hook-call.ts';
import { Loader } from '../life/loader.ts';
import type { Parts } from '../life/parts.ts';
import { Quarantine } from '../life/quarantine.ts';
import { Replacer } from '../life/replacer.ts';
import { Roster } from '../life/roster.ts';
import { Starter } from '../life/starter.ts';
import { outward } from '../life/states.ts';
import { Unloader } from '../life/unloader.ts';
import { messageOf } from '../load/describe-value.ts';
import { evaluateBundle } from '../load/evaluate-bundle.ts';
import { Counters } from '../registries/counters.ts';
import { DropReasons } from '../registries/drop-reasons.ts';
import { Journal } from '../registries/journal.ts';
import { SkbSlots } from '../registries/skb-slots.ts';
import type { SettingsSink } from '../settings/sysctl-tree.ts';
import { SysctlTree } from '../settings/sysctl-tree.ts';
import { Executive } from '../time/executive.ts';
import { World } from '../time/world.ts';
import { Composition, definePart } from './composition.ts';
import { Switchboard } from './switchboard.ts';

/** What a timer can wait: 2⁴⁸ µs. */
const LONGEST_ALARM_US = 2 ** 48;

type Defaulted = 'name' | 'seed' | 'debug' | 'hookDeadlineMs' | 'quarantineAfter';
/** Options with every default filled in. */
type Filled = KernelOptions & Required<Pick<KernelOptions, Defaulted>>;

const DEFAULTS: Required<Pick<KernelOptions, Defaulted>> = Object.freeze({
  name: 'kernel',
  seed: 1,
  debug: false,
  hookDeadlineMs: 5000,
  quarantineAfter: 3,
});

/** The parts that a kernel shows to its callers. */
export const PART = Object.freeze({
  world: definePart<World>('world'),
  executive: definePart<Executive>('executive'),
  events: definePart<KernelEvents>('events'),
  journal: definePart<Journal>('journal'),
  board: definePart<Switchboard>('board'),
  settings: definePart<SysctlTree>('settings'),
  dropReasons: definePart<DropReasons>('drop-reasons'),
  counters: definePart<Counters>('counters'),
  parts: definePart<Parts>('parts'),
  roster: definePart<Roster>('roster'),
  starter: definePart<Starter>('starter'),
  loader: definePart<Loader>('loader'),
  unloader: definePart<Unloader>('unloader'),
  replacer: definePart<Replacer>('replacer'),
  quarantine: definePart<Quarantine>('quarantine'),
});

/** Says how a kernel is made from its parts. Nothing is made before it is asked for. */
export function composeKernel(options: KernelOptions): Composition {
  const of: Filled = { ...DEFAULTS, ...options };
  const composition = new Composition();
  composition.given(PART.world, of.world ?? new World({ clock: 'real' }));
  composition.part(PART.events, [], () => new KernelEvents());
  composition.part(PART.roster, [], () => new Roster(() => rosterChanged(composition)));
  composition.part(PART.board, [], () => new Switchboard(of.debug));
  composition.part(PART.dropReasons, [], () => new DropReasons());
  composition.part(PART.counters, [], () => new Counters());
  composeTime(composition, of);
  composition.part(PART.parts, [PART.world, PART.executive, PART.events], (world, executive, events) => ({
    executive,
    board: composition.get(PART.board),
    settings: composition.get(PART.settings),
    dropReasons: composition.get(PART.dropReasons),
    skbSlots: new SkbSlots(),
    counters: composition.get(PART.counters),
    journal: composition.get(PART.journal),
    random: world.random.fork(`kernel ${of.name} ${of.seed}`),
    alarm: alarmOf(executive),
    epochs: { now: 0 },
    debug: of.debug,
    hookDeadlineMs: of.hookDeadlineMs,
    watcher: {
      phaseChanged: (generation, from) => {
        if (outward(from) !== generation.state) events.state(generation.label, outward(from), generation.state);
        composition.get(PART.unloader).stir(generation);
        if (generation.phase === 'live') composition.get(PART.quarantine).retry();
      },
      holdsChanged: (generation) => composition.get(PART.unloader).stir(generation),
      faulted: (fault) => events.fault(fault),
    },
  }));
  composeLife(composition, of);
  return composition;
}

function composeTime(composition: Composition, of: Filled): void {
  composition.part(PART.executive, [PART.world], (world) => {
    const onFault = (owner: number, error: unknown, place: string): void => packetFault(composition, owner, error, place);
    const executive = new Executive({ name: of.name, time: world.time, onFault });
    world.attach(executive);
    return executive;
  });
  composition.part(PART.journal, [PART.executive], ({ clock }) => new Journal(() => clock.nowUs, of.onLog ?? (() => undefined)));
  composition.part(PART.settings, [PART.journal], (journal) => {
    const sink: SettingsSink = {
      onFault: (owner, error, place) => packetFault(composition, owner, error, place),
      onReset: (module, sentence) => journal.of(module).warn(sentence),
    };
    return new SysctlTree(sink, of.settings);
  });
}

function composeLife(composition: Composition, of: Filled): void {
  const libraries = { '@softnet/contract': contract, ...of.libraries };
  const evaluate = of.evaluate ?? evaluateBundle;
  composition.part(PART.starter, [PART.parts, PART.roster], (parts, roster) => new Starter(parts, roster, composition));
  composition.part(
    PART.loader,
    [PART.roster, PART.starter],
    (roster, starter) => new Loader(roster, starter, (bundle) => evaluate(bundle, libraries)),
  );
  composition.part(PART.unloader, [PART.parts, PART.roster], (parts, roster) => new Unloader(parts, roster));
  composition.part(
    PART.replacer,
    [PART.roster, PART.loader, PART.starter, PART.unloader],
    (roster, loader, starter, unloader) => new Replacer(roster, loader, starter, unloader),
  );
  composition.part(
    PART.quarantine,
    [PART.roster, PART.unloader],
    (roster, unloader) => new Quarantine(roster, unloader, of.quarantineAfter),
  );
}

/** A generation is gone: others may have waited for that. */
function rosterChanged(composition: Composition): void {
  composition.get(PART.unloader).reviewSoon();
  composition.get(PART.quarantine).retry();
}

/** Something threw in a batch of the softirq loop; the integer says whose code ran. */
function packetFault(composition: Composition, owner: number, error: unknown, place: string): void {
  const culprit: Generation | undefined = composition.get(PART.roster).byOwner(owner);
  const message = `${place}: ${messageOf(error)}`;
  composition.get(PART.events).fault({ module: culprit?.label ?? 'kernel', hook: 'packet', message });
  if (culprit !== undefined) composition.get(PART.quarantine).threw(culprit, place, error);
}

/** Alarms are timers of the kernel itself; one that is years away never rings. */
function alarmOf(executive: Executive): Alarm {
  const account = { owner: 0, label: 'kernel', armed: 0, dead: false };
  return (afterMs, ring) => {
    if (afterMs * 1000 > LONGEST_ALARM_US) return () => undefined;
    const timer = executive.wheel.timer(account, ring, undefined, 'kernel.alarm');
    timer.arm(afterMs * 1000);
    return () => timer.cancel();
  };
}
