/** Wrong words on a command line: one sentence, and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
