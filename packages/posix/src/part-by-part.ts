import { ERRNO } from '@softnet/contract';
import type { Answer, Process } from './process.ts';
import type { SocketFile } from './socket-file.ts';
import type { WaitTerms } from './waiting.ts';

/** What goes on until enough of it is done. */
export interface Parts {
  /** What it is called in sentences. */
  readonly call: string;
  readonly terms: Omit<WaitTerms, 'place'>;
  /** How many bytes are enough; 0: whatever the first part is. */
  readonly enoughBytes: number;
  /** Done before. */
  readonly doneBytes: number;
  /** The next part, behind so many bytes: how many it took, -EAGAIN: it must wait; 0: there are no more. */
  step(count: number): number;
  /** When its time is over, it takes what there is by then: a receive that SO_RCVLOWAT has kept asleep. */
  readonly takesRest?: boolean;
  /** What the call answers in the end. */
  settled?(result: number): number;
}

/**
 * Goes on part by part until enough is done, in one wait: it keeps its turn and its time, and no wake-up falls between two parts. What was done before an error counts;
 * the next call says the error.
 */
export function partByPart(process: Process, file: SocketFile, parts: Parts): Answer {
  const { call, terms, enoughBytes, step } = parts;
  let count = parts.doneBytes;
  const counted = (result: number): number => (result < 0 && count > 0 ? count : result);
  const attempt = (): number => {
    while (count < enoughBytes || count === 0) {
      const { error } = file.sock;
      const result = step(count);
      if (result === -ERRNO.EAGAIN) return result;
      if (result < 0 && count > 0 && file.sock.error === 0) file.sock.error = error;
      if (result <= 0) return counted(result) || count;
      count += result;
    }
    return count;
  };
  const settled = (result: number): number => parts.settled?.(counted(result)) ?? counted(result);
  const ended = (result: number): number => {
    if (result === -ERRNO.EAGAIN && parts.takesRest === true) count += Math.max(0, step(count));
    return settled(result);
  };
  const result = attempt();
  return result === -ERRNO.EAGAIN ? process.wait(call, file, terms, attempt, ended) : settled(result);
}
