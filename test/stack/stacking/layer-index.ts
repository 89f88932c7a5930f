import type { Contributions, NetworkLayer } from '@softnet/contract';

/** Where the layer of a family is among all: of two generations, the newer. -1: there is none. Without garbage. */
export function layerIndex({ items }: Contributions<NetworkLayer>, family: number): number {
  for (let i = items.length - 1; i >= 0; i--) if (items[i]!.family === family) return i;
  return -1;
}
