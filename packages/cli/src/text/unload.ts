import type { DryRun, HolderInfo, UnloadProgress, UnloadReport } from '@softnet/kernel';
import { bar } from './bar.ts';
import { count } from './count.ts';
import { holderCounts, holderGroups, holderTable } from './holders.ts';
import type { TableLook } from './table.ts';
import { cut } from './table.ts';

/** One step of an unload as a bar, with who still holds. */
export function progressLine(step: UnloadProgress, holders: readonly HolderInfo[], width: number): string {
  const { module, state, remaining, initial } = step;
  const done = bar(initial - remaining, initial);
  return cut(`${module} ${state} ${done} ${initial - remaining}/${initial}${waiting(step, holders)}`, width);
}

function waiting({ remaining, waitsFor }: UnloadProgress, holders: readonly HolderInfo[]): string {
  if (remaining > 0 && holders.length > 0) return `; waiting for ${holderGroups(holders).join('; ')}`;
  return waitsFor.length > 0 ? `; waiting for ${waitsFor.join(', ')} to go` : '';
}

/** One stage of an unload, as a line that stays. */
export function stageLine(step: UnloadProgress, holders: readonly HolderInfo[], width: number): string {
  const { module, state } = step;
  if (state === 'withdrawing') return `${module}: stage 1, nobody new comes in; ${count(step.initial, 'hold')} to wait for`;
  if (state === 'draining') return cut(`${module}: stage 2, draining${waiting(step, holders)}`, width);
  return state === 'live' ? `${module}: back to live` : `${module}: ${state}`;
}

/** How an unload ended. */
export function reportLines(report: UnloadReport, look: TableLook): string[] {
  const { module, outcome, reason, gone, closedMeanwhile, broken, faults, leaks } = report;
  const lines: string[] = [];
  if (outcome === 'gone') {
    const others = gone.filter((label) => label !== module);
    lines.push(`${module} is unloaded${others.length > 0 ? `, and before it ${others.join(', ')}` : ''}`);
  } else {
    lines.push(`${module} is live again (${REASONS[reason ?? 'asked']})`);
    lines.push(`closed meanwhile, and so not back: ${holderCounts(closedMeanwhile)}`);
    if (closedMeanwhile.length > 0) lines.push(...holderTable(closedMeanwhile, look, 10));
  }
  if (broken.length > 0) lines.push(`broken by force: ${holderCounts(broken)}`, ...holderTable(broken, look, 10));
  for (const { module: culprit, hook, message } of faults) lines.push(`fault: ${culprit} in ${hook}: ${message}`);
  for (const leak of leaks) lines.push(`leak: ${leak}`);
  return lines;
}

const REASONS = Object.freeze({ asked: 'the unload was aborted', signal: 'interrupted', deadline: 'the deadline passed' });

/** What an unload would do. */
export function dryRunLines(name: string, dryRun: DryRun, look: TableLook): string[] {
  const { order, cascade, doors, parks, holders, closes, refusal } = dryRun;
  const lines = [`rmmod ${name} would (nothing is changed):`];
  if (refusal !== undefined) lines.push(`  be refused    ${refusal.message}`);
  lines.push(`  withdraw      ${order.join(', ') || 'nothing'}${cascade.length > 0 ? ` (${cascade.join(', ')} by cascade)` : ''}`);
  lines.push(`  shut doors    ${doors.join(', ') || 'none'}`);
  lines.push(`  park          ${holderCounts(parks)}`);
  lines.push(`  wait for      ${holderCounts(holders)}`);
  lines.push(`  close at last ${count(closes, 'parked or kept object')}`);
  if (holders.length > 0) lines.push(...holderTable(holders, look));
  return lines;
}
