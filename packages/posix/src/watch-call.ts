import type { Answer } from './process.ts';

/** What became of a call, as far as is known. */
export interface WatchedCall {
  /** What it has answered; undefined: it waits still. */
  readonly result: number | undefined;
}

/** For who steps a virtual clock from outside, and asks between two steps whether a call is done. */
export function watchCall(answer: Answer): WatchedCall {
  const call: { result: number | undefined } = { result: typeof answer === 'number' ? answer : undefined };
  if (typeof answer !== 'number') {
    void answer.then((result) => {
      call.result = result;
    });
  }
  return call;
}
