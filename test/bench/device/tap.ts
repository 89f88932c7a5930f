import type { Work } from '../work.ts';

export function tapWorks(): Work[] {
  return [];
}
