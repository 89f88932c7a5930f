import type { SockCommon } from '@softnet/contract';
import { SOCK_FLAG, SockOptions } from '@softnet/contract';

/** What a child has of its listener's flags. */
const INHERITED: number =
  SOCK_FLAG.REUSEADDR |
  SOCK_FLAG.REUSEPORT |
  SOCK_FLAG.V6ONLY |
  SOCK_FLAG.BROADCAST |
  SOCK_FLAG.KEEPALIVE |
  SOCK_FLAG.RECVERR |
  SOCK_FLAG.ANCILLARY |
  SOCK_FLAG.DONTROUTE |
  SOCK_FLAG.OOBINLINE |
  SOCK_FLAG.FREEBIND |
  SOCK_FLAG.SELECT_ERRORS |
  SOCK_FLAG.FILTER_LOCKED;

/** Gives a child all that was set of its listener; of what layers keep, records of its own. */
export function inheritOptions(child: SockCommon, { flags, options }: SockCommon): void {
  child.flags |= flags & INHERITED;
  if (options === null) return;
  const own = Object.assign(new SockOptions(), options);
  own.layer = copyOf(options.layer);
  own.mappedLayer = copyOf(options.mappedLayer);
  // Who joined a group, and what went wrong, is the listener's own.
  own.groups = null;
  own.errors = null;
  own.overflows = 0;
  child.options = own;
}

function copyOf(record: object | null): object | null {
  return record === null ? null : Object.assign(Object.create(Object.getPrototypeOf(record) as object), record);
}
