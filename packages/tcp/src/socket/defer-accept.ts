/** Linux's TCP_TIMEOUT_INIT and TCP_RTO_MAX, seconds. */
const FIRST_SEC = 1;
const MOST_SEC = 120;
const MOST_RETRIES = 255;

/** TCP_DEFER_ACCEPT: how many SYN-ACKs are sent in so many seconds, the first timeout being 1 s and each twice the one before. Linux's `secs_to_retrans`. */
export function defermentRetries(seconds: number): number {
  if (seconds <= 0) return 0;
  let retries = 1;
  let period = FIRST_SEC;
  let timeout = FIRST_SEC;
  while (seconds > period && retries < MOST_RETRIES) {
    retries++;
    timeout = Math.min(timeout * 2, MOST_SEC);
    period += timeout;
  }
  return retries;
}

/** The other way round: `retrans_to_secs`. */
export function defermentSec(retries: number): number {
  if (retries <= 0) return 0;
  let period = FIRST_SEC;
  let timeout = FIRST_SEC;
  for (let left = retries - 1; left > 0; left--) {
    timeout = Math.min(timeout * 2, MOST_SEC);
    period += timeout;
  }
  return period;
}
