import { appendFileSync, writeFileSync } from 'node:fs';
import type { NetDevice } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { FaultCounts } from '@softnet/nic-driver';
import { Faults, Traces } from '@softnet/nic-driver';
import type { NetHost } from '@softnet/testkit';
import { expandHome } from '../session/expand-home.ts';
import { UsageError } from '../usage-error.ts';

/** `write` of a device of kind 'capture': into a file, which begins anew. @throws NetError */
export function writeInto(path: string): (bytes: Uint8Array) => void {
  const file = expandHome(path);
  try {
    writeFileSync(file, '');
  } catch (error) {
    throw new NetError('EACCES', `${file} cannot be written: give a file in a folder that is there and yours`, { cause: error });
  }
  return (bytes) => appendFileSync(file, bytes);
}

/** `ip link set flt0 type fault loss 0.5`. @throws UsageError for another kind. */
export function setKind({ kernel }: NetHost, device: NetDevice, kind: string, options: object): void {
  if (kind !== 'fault') throw new UsageError(`of a device of type ${kind} nothing can be set; of type fault: loss, delayUs, txLoss ...`);
  kernel.port(Faults).current.set(device, options);
}

/** What `ip -s link` adds of such a device: what became of frames, or the last lines of a trace. */
export function stackedLines({ kernel }: NetHost, device: NetDevice): string[] {
  if (device.kind === 'trace')
    return kernel
      .port(Traces)
      .current.lines(device)
      .slice(-10)
      .map((line) => `    ${line}`);
  if (device.kind !== 'fault') return [];
  const faults = kernel.port(Faults).current;
  return (['tx', 'rx'] as const).map((direction) => `    ${direction.toUpperCase()} faults: ${countsOf(faults.counts(device, direction))}`);
}

function countsOf(counts: Readonly<FaultCounts>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join('  ');
}
