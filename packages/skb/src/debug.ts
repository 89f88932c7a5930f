interface Host {
  readonly SOFTNET_DEBUG?: unknown;
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

const host: Readonly<Host> = globalThis as Host;
const said: string = String(host.SOFTNET_DEBUG ?? host.process?.env?.SOFTNET_DEBUG ?? '');
const surroundings: string = host.process?.env?.NODE_ENV ?? '';

/**
 * Are bounds and owners of packets checked? Fixed when this file is loaded. `SOFTNET_DEBUG` (of the environment, or a global
 * where there is none) says `1`, `stacks` or `0`; unsaid, it is on where NODE_ENV is `test` or `development`.
 */
export const DEBUG: boolean = said === '' ? surroundings === 'test' || surroundings === 'development' : said !== '0';

/** `SOFTNET_DEBUG=stacks`: the ledger keeps where packets were freed. Costs microseconds and bytes for each. */
export const STACKS: boolean = said === 'stacks';
