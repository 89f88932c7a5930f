import type { Suite } from '../work.ts';
import { forwardWorks } from './forward.ts';

/** Routing: packets through a router. */
export function routeSuite(): Suite {
  return { name: 'route', works: forwardWorks() };
}
