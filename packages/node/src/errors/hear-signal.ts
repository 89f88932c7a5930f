/** Calls `then` when the signal is aborted, at once if it is. @returns how to stop listening. */
export function hearSignal(signal: AbortSignal, then: () => void): () => void {
  if (signal.aborted) {
    then();
    return () => {};
  }
  signal.addEventListener('abort', then, { once: true });
  return () => signal.removeEventListener('abort', then);
}
