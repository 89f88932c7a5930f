import { homedir } from 'node:os';

/** '~/x' as a shell has it: in the home folder. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homedir());
}
