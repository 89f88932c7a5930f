/** Finest resolutions that are understood: 10⁻¹² s, and 2⁻³² s. */
const MAX_DECIMAL = 12;
const MAX_BINARY = 32;
const BINARY = 0x80;
/** The values of 32 bits. */
const WORD = 0x100000000;

/** Is the unit of time one that {@link ticksToUs} knows? @param resolution as `if_tsresol`. */
export function isKnownResolution(resolution: number): boolean {
  return resolution < BINARY ? resolution <= MAX_DECIMAL : resolution - BINARY <= MAX_BINARY;
}

/**
 * µs of a time in units of `resolution`: exact, rounded down, up to 2⁵³.
 * @param high the upper, `low` the lower 32 bits of the units.
 */
export function ticksToUs(high: number, low: number, resolution: number): number {
  if (resolution >= BINARY) return binaryToUs(high, low, resolution - BINARY);
  if (resolution <= 6) return (high * WORD + low) * 10 ** (6 - resolution);
  // In two steps, as the whole of it does not fit into 53 bits.
  const units = 10 ** (resolution - 6);
  const quotient = Math.floor(high / units);
  return quotient * WORD + Math.floor(((high - quotient * units) * WORD + low) / units);
}

function binaryToUs(high: number, low: number, bits: number): number {
  const units = 2 ** bits;
  const seconds = high * (WORD / units) + Math.floor(low / units);
  return seconds * 1e6 + Math.floor(((low % units) * 1e6) / units);
}
