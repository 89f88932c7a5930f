import type { Work } from '../work.ts';

export function frameWorks(): Work[] {
  return [];
}
