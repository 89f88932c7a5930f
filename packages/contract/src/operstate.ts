/** A device's operational state: RFC 2863 §3.1.14, with Linux's numbers (`IF_OPER_*`). */
export const OPERSTATE = Object.freeze({
  UNKNOWN: 0,
  /** Hardware is missing. */
  NOT_PRESENT: 1,
  DOWN: 2,
  /** The device below it is not up. */
  LOWER_LAYER_DOWN: 3,
  TESTING: 4,
  /** Has carrier, waits for something else (802.1X, a key). */
  DORMANT: 5,
  UP: 6,
} as const);
