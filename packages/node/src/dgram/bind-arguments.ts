import { nodeError, portOf } from '../errors/node-error.ts';

/** What `bind` was called with, told apart. */
export interface BindArguments {
  readonly port: number;
  /** Empty: any. */
  readonly address: string;
  readonly callback: (() => void) | undefined;
}

/** Of `bind([port][, address][, callback])` and `bind({port, address})`. @throws ERR_INVALID_FD_TYPE: there are no descriptors here. */
export function bindArguments(given: readonly unknown[]): BindArguments {
  const last = given.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = given;
  if (typeof first !== 'object' || first === null) {
    return { port: boundPort(first), address: typeof second === 'string' ? second : '', callback };
  }
  const { port, address, fd } = first as { port?: unknown; address?: unknown; fd?: unknown };
  if (typeof fd === 'number' && fd > 0)
    throw nodeError('ERR_INVALID_FD_TYPE', 'Unsupported fd type: the sockets of a softnet kernel are no descriptors of this process');
  return { port: boundPort(port), address: typeof address === 'string' ? address : '', callback };
}

/** As Node has it: what is no port at all is any. */
function boundPort(port: unknown): number {
  return port === undefined || port === null || typeof port === 'function' ? 0 : portOf(port);
}
