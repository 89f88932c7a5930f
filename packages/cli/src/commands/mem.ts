import type { MemoryAccount, PoolUsage } from '@softnet/contract';
import { MEMORY_PRESSURE, MemoryAccounts, SkbPools } from '@softnet/contract';
import type { SessionCommand } from '../session/session-command.ts';
import type { Column } from '../text/table.ts';
import { table } from '../text/table.ts';

const POOLS: readonly Column[] = Object.freeze([
  { title: 'POOL' },
  { title: 'BUFFERS', right: true },
  { title: 'IDLE', right: true },
  { title: 'PAGES', right: true },
  { title: 'IDLE', right: true },
  { title: 'PACKETS OUT', right: true },
]);
const ACCOUNTS: readonly Column[] = Object.freeze([
  { title: 'WAITING AT' },
  { title: 'BYTES', right: true },
  { title: 'MOST', right: true },
  { title: 'REFUSED', right: true },
]);
const PRESSURES = Object.freeze({
  [MEMORY_PRESSURE.NONE]: 'none',
  [MEMORY_PRESSURE.LOW]: 'low: who has more than a little waiting gets no more',
  [MEMORY_PRESSURE.CRITICAL]: 'critical: nobody gets more who has anything waiting',
} as const);

export const mem: SessionCommand = Object.freeze({
  name: 'mem',
  parameters: '',
  summary: 'show packet memory: its pools, what waits in whose sockets and tables, and whether it is scarce',
  run({ kernel, output }) {
    const pools = kernel.port(SkbPools).current.usage();
    const accounts = kernel.port(MemoryAccounts).current;
    const pressure = accounts.pressure() as keyof typeof PRESSURES;
    const lines = [
      ...table(POOLS, pools.map(poolCells), output),
      '',
      ...table(ACCOUNTS, accounts.all().map(accountCells), output),
      '',
      `pressure: ${PRESSURES[pressure]} (net.core.skb_pressure)`,
    ];
    for (const line of lines) output.print(line);
  },
} satisfies SessionCommand);

function poolCells({ name, buffers, buffersIdle, pages, pagesIdle, skbsOut }: PoolUsage): string[] {
  return [name, ...[buffers, buffersIdle, pages, pagesIdle, skbsOut].map(String)];
}

function accountCells({ name, bytes, peakBytes, refused }: MemoryAccount): string[] {
  return [name, ...[bytes, peakBytes, refused.value].map(String)];
}
