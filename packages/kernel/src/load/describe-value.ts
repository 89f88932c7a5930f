const MAX_LENGTH = 60;

/** What a value is, in a few words, for the sentence of an error: `'1.x'`, `42`, `a function`, `an array`. Never throws. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return `'${shorten(value)}'`;
  }
  if (value === null || ['undefined', 'number', 'boolean', 'bigint'].includes(typeof value)) {
    return String(value);
  }
  if (typeof value !== 'object') {
    return `a ${typeof value}`;
  }
  return isArray(value) ? 'an array' : 'an object';
}

/** What was thrown, in one line: strangers throw anything, `undefined` and revoked proxies too. Never throws. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${shorten(String(thrown.message))}` : describeValue(thrown);
  } catch {
    return 'a value that cannot be read';
  }
}

/** The message of what was thrown, whole. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : describeValue(thrown);
  } catch {
    return 'a value that cannot be read';
  }
}

/** One line of at most 60 characters. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 1)}…`;
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}
