import type { Frozen, NextHopObject, Plain, RoutingRule } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { RouteException } from './exceptions.ts';
import { freezeRoutes, thawRoutes } from './frozen-routes.ts';
import type { FrozenBuckets } from './next-hop/next-hop-store.ts';
import type { Router } from './router.ts';

/** Version of the layout. */
const FROZEN_ROUTER = 2;

interface FrozenRouter {
  readonly routes: Frozen;
  readonly rules: readonly RoutingRule[];
  readonly nextHops: readonly NextHopObject[];
  readonly buckets: readonly FrozenBuckets[];
  readonly exceptions: readonly FrozenException[];
  /** Flows stay on their ways. */
  readonly seed: number;
}

/** What is known of a destination; of its hop, the key. */
type FrozenException = Pick<
  RouteException,
  | 'address0'
  | 'address1'
  | 'address2'
  | 'address3'
  | 'mtuBytes'
  | 'mtuLocked'
  | 'gatewayFamily'
  | 'gateway0'
  | 'gateway1'
  | 'gateway2'
  | 'gateway3'
  | 'expiresMs'
> & { readonly hop: string; readonly realms: number };

/** All that routing knows, for the next generation. */
export function freezeRouter(router: Router): Frozen {
  const { rules, nextHops, exceptions, store, fib } = router;
  const data: FrozenRouter = {
    routes: freezeRoutes(store),
    rules: [...rules.entries(ADDRESS_FAMILY.INET), ...rules.entries(ADDRESS_FAMILY.INET6)],
    nextHops: nextHops.entries(),
    buckets: nextHops.buckets,
    exceptions: Array.from(exceptions, frozenException),
    seed: fib.seed,
  };
  return { version: FROZEN_ROUTER, data: data as unknown as Plain };
}

/** Next hops before the routes that use them, routes before what is known of their hops. */
export function thawRouter({ version, data }: Frozen, router: Router): void {
  if (version !== FROZEN_ROUTER) throw new Error(`routing is frozen in layout ${version}`);
  const { routes, rules, nextHops, buckets, exceptions, seed } = data as unknown as FrozenRouter;
  router.fib.seed = seed;
  router.rules.restore(rules);
  router.nextHops.restore(nextHops, buckets);
  thawRoutes(routes, router.store);
  for (const { hop, realms, address0: dst0, address1: dst1, address2: dst2, address3: dst3, ...known } of exceptions) {
    const exception = router.restoreException(hop, realms, { dst0, dst1, dst2, dst3 }, known.expiresMs);
    if (exception !== null) Object.assign(exception, known);
  }
}

function frozenException(exception: RouteException): FrozenException {
  const { hop, address0, address1, address2, address3, mtuBytes, mtuLocked, expiresMs } = exception;
  const { gatewayFamily, gateway0, gateway1, gateway2, gateway3 } = exception;
  return {
    ...{
      hop: (hop.base ?? hop).key,
      realms: hop.base === null ? 0 : hop.spec.realms,
      address0,
      address1,
      address2,
      address3,
      mtuBytes,
      mtuLocked,
      expiresMs,
    },
    ...{ gatewayFamily, gateway0, gateway1, gateway2, gateway3 },
  };
}
