import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Says which of these programs of Linux's are not installed; null: all are. Some stand in /usr/sbin, which not every PATH has. */
export function missingPrograms(...names: readonly string[]): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  const missing = names.filter((name) => !folders.some((folder) => isProgram(join(folder, name))));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
