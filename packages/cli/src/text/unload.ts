import type { DryRun, HolderInfo, UnloadProgress, UnloadReport } from '@softnet/kernel';
import { bar } from './bar.ts';
import { count } from './count.ts';
import { holderCounts, holderGroups, holderTable } from './holders.ts';
import type { TableLook } from './table.ts';
import { cut } from './table.ts';
import { wrap } from './wrap.ts';

/** One step of an unload as a bar, with who still holds: as many as there is room for. */
export function progressLine(step: UnloadProgress, holders: readonly HolderInfo[], width: number): string {
  const { module, state, remaining, initial } = step;
  const done = `${module} ${state} ${bar(initial - remaining, initial)} ${initial - remaining}/${initial}`;
  const lines = [2, 1, 0].map((named) => `${done}${waiting(step, holders, named)}`);
  return lines.find((line) => line.length <= width) ?? cut(lines.at(-1)!, width);
}

function waiting({ remaining, waitsFor }: UnloadProgress, holders: readonly HolderInfo[], named: number): string {
  if (remaining > 0 && holders.length > 0) return `; waiting for ${holderGroups(holders, { named }).join('; ')}`;
  return waitsFor.length > 0 ? `; waiting for ${waitsFor.join(', ')} to go` : '';
}

/** One stage of an unload, as lines that stay. */
export function stageLines(step: UnloadProgress, holders: readonly HolderInfo[], width: number): string[] {
  const { module, state } = step;
  if (state === 'withdrawing') return wrap(`${module}: stage 1, nobody new comes in; ${count(step.initial, 'hold')} to wait for`, width);
  if (state === 'draining') return wrap(`${module}: stage 2, draining${waiting(step, holders, 2)}`, width);
  return [state === 'live' ? `${module}: back to live` : `${module}: ${state}`];
}

/** How an unload ended. */
export function reportLines(report: UnloadReport, look: TableLook): string[] {
  const { module, outcome, reason, gone, closedMeanwhile, broken, faults, leaks } = report;
  const past = { limit: 10, past: true };
  const lines: string[] = [];
  if (outcome === 'gone') {
    const others = gone.filter((label) => label !== module);
    lines.push(`${module} is unloaded${others.length > 0 ? `, and before it ${others.join(', ')}` : ''}`);
  } else {
    lines.push(`${module} is live again (${REASONS[reason ?? 'asked']})`);
    lines.push(`closed meanwhile, and so not back: ${holderCounts(closedMeanwhile)}`);
    if (closedMeanwhile.length > 0) lines.push(...holderTable(closedMeanwhile, look, past));
  }
  if (broken.length > 0) lines.push(`broken by force: ${holderCounts(broken)}`, ...holderTable(broken, look, past));
  for (const { module: culprit, hook, message } of faults) lines.push(`fault: ${culprit} in ${hook}: ${message}`);
  for (const leak of leaks) lines.push(`leak: ${leak}`);
  return lines;
}

const REASONS = Object.freeze({ asked: 'the unload was aborted', signal: 'interrupted', deadline: 'the deadline passed' });

/** What was asked of a dry run. */
export interface DryRunQuestion {
  readonly name: string;
  readonly force: boolean;
  /** What to type instead, when it would be refused. */
  readonly advice: string | undefined;
}

const LABEL = 14;

/** What an unload would do. */
export function dryRunLines({ name, force, advice }: DryRunQuestion, dryRun: DryRun, look: TableLook): string[] {
  const { order, cascade, doors, parks, holders, closes, refusal } = dryRun;
  const lines = [`rmmod ${name} would (nothing is changed):`];
  const say = (label: string, text: string): void => {
    lines.push(...wrap(`  ${label.padEnd(LABEL)}${text}`, look.width, ' '.repeat(LABEL + 2)));
  };
  if (refusal !== undefined) say('be refused', `${refusal.message}${advice === undefined ? '' : ` (here: ${advice})`}`);
  say('withdraw', `${order.join(', ') || 'nothing'}${cascade.length > 0 ? ` (${cascade.join(', ')} by cascade)` : ''}`);
  say('shut doors', doors.join(', ') || 'none');
  say('park', holderCounts(parks));
  const shown = force ? sayForce(dryRun, say) : holders;
  if (!force) say('wait for', holderCounts(holders));
  if (closes > 0) say('close at last', count(closes, 'parked or kept object'));
  if (shown.length > 0) lines.push(...holderTable(shown, look));
  return lines;
}

/** Force closes objects; what a tally counts it can only wait for. Returns whom to list. */
function sayForce({ breaks, holders }: DryRun, say: (label: string, text: string) => void): readonly HolderInfo[] {
  const tallies = holders.filter(({ sort }) => sort === 'tally');
  say('break', holderGroups(breaks).join('; ') || 'nothing');
  if (tallies.length > 0) say('wait for', holderCounts(tallies));
  return [...breaks, ...tallies];
}
