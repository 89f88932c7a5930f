import type { Errno } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';

/** What to do about a file. */
export const IN_A_FOLDER = 'give a file in a folder that is there and yours';

/** What the host said of opening something, in a sentence that says what to do. */
export function cannotWrite(path: string, error: unknown, advice: string): NetError {
  const code = (error as { readonly code?: string }).code ?? '';
  const errno: Errno = Object.hasOwn(ERRNO, code) ? (code as Errno) : 'EIO';
  return new NetError(errno, `${path} cannot be written: ${advice}`, { cause: error });
}
