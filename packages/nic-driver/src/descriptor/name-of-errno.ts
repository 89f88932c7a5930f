import type { Errno } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';

/** What Linux's number is called; EIO where it is not of those that we have. */
export function nameOfErrno(errno: number): Errno {
  const known = Object.entries(ERRNO).find(([, number]) => number === errno);
  return known === undefined ? 'EIO' : (known[0] as Errno);
}
