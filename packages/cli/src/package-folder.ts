import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of this package. (This file stands one below it, as source and as what is built.) */
export const packageFolder: string = fileURLToPath(new URL('..', import.meta.url));

/** The version in this package's package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(`${packageFolder}package.json`, 'utf8')) as { readonly version: string };
  return version;
}
