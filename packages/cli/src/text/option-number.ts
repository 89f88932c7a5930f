import { UsageError } from '../usage-error.ts';

/**
 * The number behind an option, or `usual` where it was not given.
 * @throws UsageError for what is no whole number from `least` to `most`.
 */
export function optionNumber(flag: string, given: string | boolean | undefined, usual: number, least: number, most: number): number {
  if (given === undefined) return usual;
  const number = Number(given);
  if (/^\d{1,9}$/.test(String(given)) && number >= least && number <= most) return number;
  throw new UsageError(`${flag} takes a whole number from ${least} to ${most}, got '${given}'`);
}
