import type { Timer } from '@softnet/contract';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { probe, virtualKernel } from './bench-kernel.ts';

/** Timers that stand armed while one of them is moved: as many connections. A power of two. */
const TIMERS = 1024;
/** Different delays, as of as many round trip times, ms. Few: Node's timers keep a list for each. A power of two. */
const DELAYS = 64;

/** Whole ms from 200 to 1,460, so that Node, which knows no finer ones, does the same. */
function delayMs(index: number): number {
  return 200 + ((index * 37) % DELAYS) * 20;
}

/** The timers of a kernel, all armed. */
async function armedTimers(): Promise<Timer[]> {
  const context = await probe(virtualKernel());
  return Array.from({ length: TIMERS }, (_none, index) => {
    const timer = context.timer(() => undefined, undefined, 'bench.timer');
    timer.arm(delayMs(index) * 1000);
    return timer;
  });
}

/** Moves one armed timer after another to another delay. */
export async function rearmLoop(): Promise<Loop> {
  const timers = await armedTimers();
  const delaysUs = Float64Array.from({ length: DELAYS }, (_none, index) => delayMs(index) * 1000);
  let turn = 0;
  return (n) => {
    for (let i = 0; i < n; i++) {
      // Another delay at each visit: 1,024 visits make a turn, and each turn begins one further.
      if ((i & (TIMERS - 1)) === 0) turn++;
      timers[i & (TIMERS - 1)]!.arm(delaysUs[(i + turn) & (DELAYS - 1)]!);
    }
    return timers[0]!.whenUs;
  };
}

/** Arms and cancels further timers, beside those that are armed. */
async function armCancelLoop(): Promise<Loop> {
  const timers = await armedTimers();
  const delaysUs = Float64Array.from({ length: DELAYS }, (_none, index) => delayMs(index) * 1000);
  for (let index = 1; index < TIMERS; index += 2) timers[index]!.cancel();
  return (n) => {
    for (let i = 0; i < n; i++) {
      const timer = timers[(2 * i + 1) & (TIMERS - 1)]!;
      timer.arm(delaysUs[i & (DELAYS - 1)]!);
      timer.cancel();
    }
    return timers[1]!.whenUs;
  };
}

function nodeArmed(): NodeJS.Timeout[] {
  return Array.from({ length: TIMERS }, (_none, index) => setTimeout(() => undefined, delayMs(index) + 1e6));
}

/** Node cannot move a timer to another delay: it makes another one. */
function nodeRearmLoop(): Loop {
  const timers = nodeArmed();
  let turn = 0;
  const fire = () => undefined;
  return (n) => {
    for (let i = 0; i < n; i++) {
      if ((i & (TIMERS - 1)) === 0) turn++;
      clearTimeout(timers[i & (TIMERS - 1)]);
      timers[i & (TIMERS - 1)] = setTimeout(fire, delayMs(i + turn) + 1e6);
    }
    return n;
  };
}

/** What Node does best: the same delay again, from now. */
function nodeRefreshLoop(): Loop {
  const timers = nodeArmed();
  return (n) => {
    for (let i = 0; i < n; i++) timers[i & (TIMERS - 1)]!.refresh();
    return n;
  };
}

function nodeArmCancelLoop(): Loop {
  const armed = nodeArmed();
  const fire = () => undefined;
  return (n) => {
    for (let i = 0; i < n; i++) clearTimeout(setTimeout(fire, delayMs(i) + 1e6));
    return armed.length;
  };
}

export function timerWorks(): Work[] {
  return [
    {
      name: 'timer-rearm',
      summary: 'an armed timer is armed again, for another time, among 1,024',
      units: { ns: 'less' },
      note: "node-refresh arms for the same delay only, which is all that Node's refresh() can; node-timers is clearTimeout and setTimeout.",
      subjects: [
        { name: 'softnet', measure: async () => nsOf(await rearmLoop()) },
        { name: 'node-timers', measure: () => nsOf(nodeRearmLoop()) },
        { name: 'node-refresh', measure: () => nsOf(nodeRefreshLoop()) },
      ],
    },
    {
      name: 'timer-arm-cancel',
      summary: 'a timer is armed and cancelled, beside others that stand armed',
      units: { ns: 'less' },
      subjects: [
        { name: 'softnet', measure: async () => nsOf(await armCancelLoop()) },
        { name: 'node-timers', measure: () => nsOf(nodeArmCancelLoop()) },
      ],
    },
  ];
}
