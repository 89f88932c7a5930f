import type { Errno } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';

const NAMES: ReadonlyMap<number, Errno> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name as Errno]));

/** What a socket call answered, -errno, as the error that a program is given. */
export function errnoError(result: number, syscall: string, sentence: string): NetError {
  return new NetError(NAMES.get(-result) ?? 'EIO', `${syscall} ${sentence}`, { syscall });
}

/** The result of a socket call, where it is none. @throws NetError */
export function checked(result: number, syscall: string, sentence: string): number {
  if (result < 0) throw errnoError(result, syscall, sentence);
  return result;
}
