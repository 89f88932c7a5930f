import type { Suite } from '../work.ts';
import { frameWorks } from './frames.ts';
import { tapWorks } from './tap.ts';

/** Devices: frames through loopback, wires and TAP. */
export function deviceSuite(): Suite {
  return { name: 'device', works: [...frameWorks(), ...tapWorks()] };
}
