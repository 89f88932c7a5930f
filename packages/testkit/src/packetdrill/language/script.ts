import type { Expression } from './expression.ts';
import type { PacketSpec } from './packet-spec.ts';
import type { Position } from './syntax-error.ts';

/** A packetdrill script, as read. */
export interface Script {
  readonly file: string;
  readonly options: readonly ScriptOption[];
  /** Commands before the first event, without the marks; null: none. */
  readonly setup: string | null;
  readonly events: readonly ScriptEvent[];
}

/** `--name=value`; null: without a value. */
export interface ScriptOption {
  readonly name: string;
  readonly value: string | null;
  readonly at: Position;
}

/** When something happens, µs of the script. `any`: whenever it does. With `endUs`: somewhere between. */
export interface EventTime {
  readonly kind: 'absolute' | 'relative' | 'any';
  readonly startUs: number;
  readonly endUs: number | null;
}

/** One line of a script: at its time, something is done or expected. */
export interface ScriptEvent {
  readonly at: Position;
  readonly time: EventTime;
  /** A call that blocks until then; counted as `time` is. Null: it does not block. */
  readonly untilUs: number | null;
  readonly body: EventBody;
}

export type EventBody =
  | { readonly kind: 'packet'; readonly packet: PacketSpec }
  | { readonly kind: 'syscall'; readonly call: SyscallSpec }
  | { readonly kind: 'shell'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string };

/** `name(args) = result ERRNO (note)`. */
export interface SyscallSpec {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly result: Expression;
  readonly errno: string | null;
  readonly note: string | null;
}
