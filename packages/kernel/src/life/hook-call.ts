import { ModuleFault, NetError } from '@softnet/contract';
import { messageOf } from '../load/describe-value.ts';

/** A one-shot alarm on the kernel's clock; returns how to cancel it. */
export type Alarm = (afterMs: number, ring: () => void) => () => void;

/**
 * Calls a module's hook and waits for it, not longer than the deadline.
 * @returns undefined when all went well, else what went wrong. Never rejects.
 */
export async function callHook(
  module: string,
  hook: string,
  call: () => void | Promise<void>,
  alarm: Alarm,
  deadlineMs: number,
): Promise<Error | undefined> {
  try {
    const result = call();
    if (typeof result?.then !== 'function') return undefined;
    return await settled(module, hook, result, alarm, deadlineMs);
  } catch (error) {
    return asFault(module, hook, error);
  }
}

function settled(module: string, hook: string, result: PromiseLike<void>, alarm: Alarm, deadlineMs: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const cancel = alarm(deadlineMs, () => {
      resolve(
        new NetError('ETIMEDOUT', `${module}: ${hook} has not settled in ${deadlineMs} ms: a hook must resolve or throw`, { module }),
      );
    });
    result.then(
      () => {
        cancel();
        resolve(undefined);
      },
      (error: unknown) => {
        cancel();
        resolve(asFault(module, hook, error));
      },
    );
  });
}

function asFault(module: string, hook: string, error: unknown): Error {
  if (error instanceof NetError) return error;
  return new ModuleFault(module, `${hook} threw: ${messageOf(error)}`, error);
}
