import type { Suite } from '../work.ts';
import { allocationWorks } from './allocations.ts';
import { bootWorks } from './boot.ts';
import { contributionWork } from './contribution-walk.ts';
import { holdBytesWorks } from './hold-bytes.ts';
import { holdWorks } from './holds.ts';
import { portWorks } from './port-call.ts';
import { softirqWork } from './softirq.ts';
import { timerFireWork } from './timer-fire.ts';
import { timerWorks } from './timers.ts';

/** What the kernel itself costs: ports, timers, holds, the softirq loop, boot. */
export function kernelSuite(): Suite {
  const calls = [...portWorks(), contributionWork()];
  const time = [...timerWorks(), timerFireWork(), softirqWork()];
  const life = [...holdWorks(), ...holdBytesWorks(), ...bootWorks()];
  return { name: 'kernel', works: [...calls, ...time, ...life, ...allocationWorks()] };
}
