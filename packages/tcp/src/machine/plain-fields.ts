import type { Plain } from '@softnet/contract';

/** A record as plain data. */
export type PlainRecord = { readonly [key: string]: Plain };

/** The fields of a record that are plain: numbers, strings, whether, bytes, nothing. What hangs on it otherwise is left out. */
export function plainFields(record: object): PlainRecord {
  const plain: Record<string, Plain> = {};
  for (const [name, value] of Object.entries(record) as [string, unknown][]) {
    if (value === null || ['number', 'boolean', 'string'].includes(typeof value) || value instanceof Uint8Array)
      plain[name] = value as Plain;
  }
  return plain;
}

/** Fills in what this build has a field for, of the same sort: what an older one did not know stays as it is made. */
export function fillFields(record: object, plain: PlainRecord): void {
  const target = record as Record<string, unknown>;
  for (const [name, value] of Object.entries(plain)) {
    const now = target[name];
    if (now === undefined || value === null) continue;
    if (typeof now === typeof value || (now === null && typeof value !== 'number')) target[name] = value;
  }
}
