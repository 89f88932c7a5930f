/** As many bytes of an int as there is room for, as Linux's `getsockopt`. @returns how many. */
export function putIntBytes(value: Uint8Array, number: number): number {
  const count = Math.min(4, value.length);
  for (let i = 0; i < count; i++) value[i] = number >>> (8 * i);
  return count;
}
