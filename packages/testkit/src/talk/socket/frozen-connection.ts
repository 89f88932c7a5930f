import type { FlowKey } from '../../exchange/service.ts';
import type { FrozenMachine } from '../machine/frozen-machine.ts';

/** A connection as plain data: layout 1. */
export type FrozenConnection = {
  readonly key: { readonly [K in keyof FlowKey]: number };
  readonly machine: FrozenMachine;
  readonly inbox: readonly Uint8Array[];
  /** Port of the listener that it will come out of; -1: of none, or out already. */
  readonly child: number;
};
