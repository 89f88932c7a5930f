import type { Errno } from '@softnet/contract';
import { NetError } from '@softnet/contract';

const SENTENCES: Readonly<Partial<Record<Errno, string>>> = Object.freeze({
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer gave it up',
  ETIMEDOUT: 'the peer does not answer',
});

/** What its user is told of a connection that did not end well. */
export function endError(code: Errno, label: string): NetError {
  return new NetError(code, `talk ${label}: ${SENTENCES[code] ?? 'failed'}`, { module: 'talk' });
}
