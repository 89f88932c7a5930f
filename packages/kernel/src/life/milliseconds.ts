import { NetError } from '@softnet/contract';

/** @throws NetError EINVAL unless it is left out, or a number of milliseconds from 0; Infinity means never. */
export function checkMs(option: string, ms: number | undefined): void {
  if (ms === undefined || ms >= 0) return;
  throw new NetError('EINVAL', `${option} must be a number of milliseconds from 0, or Infinity for never, but is ${ms}`);
}
