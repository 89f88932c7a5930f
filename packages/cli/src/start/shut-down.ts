import type { Kernel } from '@softnet/kernel';
import type { Output } from '../session/output.ts';
import { holderCounts, holderGroups } from '../text/holders.ts';
import { wrap } from '../text/wrap.ts';

/** Kernel time that those inside get to let go, ms. */
const GRACE_MS = 500;

/** Unloads all modules of the kernels, and says what was open and what had to be broken. Returns what the modules left behind. */
export async function shutDown(kernels: readonly Kernel[], output: Output): Promise<string[]> {
  for (const kernel of kernels) {
    const open = kernel.holders();
    output.print(open.length === 0 ? `kernel ${kernel.name}: nothing was open` : `kernel ${kernel.name}: open: ${holderCounts(open)}`);
    for (const group of holderGroups(open, { past: true })) for (const line of wrap(`  ${group}`, output.width, '    ')) output.print(line);
  }
  const reports = await Promise.all(kernels.map((kernel) => kernel.shutdown({ deadlineMs: GRACE_MS })));
  for (const [index, report] of reports.entries()) {
    const broken = report?.broken ?? [];
    const gone = report?.gone.join(', ') || 'nothing';
    const sentence = `kernel ${kernels[index]?.name}: unloaded ${gone}; broken by force: ${holderCounts(broken)}`;
    for (const line of wrap(sentence, output.width, '  ')) output.print(line);
    for (const { module, hook, message } of report?.faults ?? []) output.print(`fault: ${module} in ${hook}: ${message}`);
    for (const leak of report?.leaks ?? []) output.print(`leak: ${leak}`);
  }
  return reports.flatMap((report) => report?.leaks ?? []);
}
