/**
 * An error as the one line that a user sees: 'softnet: EBUSY: …'. A stack is shown only to who debugs softnet or a module.
 */
export function errorLine(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `softnet: ${String(error)}`;
  if (debug && error.name !== 'UsageError') return `softnet: ${error.stack ?? error.message}`;
  return `softnet: ${error.message.replace(/\s*\n\s*/g, ' ')}`;
}
