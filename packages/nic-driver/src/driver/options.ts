import { NetError } from '@softnet/contract';

/** Linux's ETH_MIN_MTU. */
const MIN_MTU_BYTES = 68;

/** Refuses options that a kind of devices does not know, which are misspelled most of the time. @throws NetError EINVAL. */
export function onlyOptions(kind: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new NetError('EINVAL', `${kind}: there is no option ${unknown}; it takes ${known.join(', ')}`);
}

/** An MTU that a user gave, without link header. Default 1,500. @throws NetError EINVAL. */
export function mtuOption(kind: string, given: unknown, maxMtuBytes: number): number {
  if (given === undefined) return 1500;
  if (typeof given === 'number' && Number.isInteger(given) && given >= MIN_MTU_BYTES && given <= maxMtuBytes) return given;
  throw new NetError('EINVAL', `${kind}: mtuBytes takes ${MIN_MTU_BYTES} to ${maxMtuBytes}, got ${String(given)}`);
}
