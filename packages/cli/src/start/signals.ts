/** The exit code of what Ctrl-C ended, as shells have it. */
export const INTERRUPTED = 130;

/** Each asks for an orderly end. */
export const SIGNALS = Object.freeze(['SIGINT', 'SIGTERM', 'SIGHUP'] as const);
