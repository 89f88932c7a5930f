import type { Suite } from '../work.ts';
import { forwardWorks } from './forward.ts';
import { loadWork } from './load.ts';
import { lookupWorks } from './lookups.ts';

/** Routing: longest prefixes, tables, packets through a router. */
export function routeSuite(): Suite {
  return { name: 'route', works: [...lookupWorks(), loadWork(), ...forwardWorks()] };
}
