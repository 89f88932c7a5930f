import { SOL } from '@softnet/contract';
import type { Expression } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import type { CallContext } from './call-context.ts';
import { numberOf } from './evaluate.ts';
import { encode, fieldBytes, hex, recordDiffers, shown } from './layouts.ts';
import { ScriptFailure } from './script-failure.ts';
import type { CallControl } from './system-calls.ts';

/** SCM_TIMESTAMP, SCM_TIMESTAMPNS, SCM_TIMESTAMPING. */
const STAMPS: readonly number[] = [29, 35, 37];

interface ControlWords {
  readonly level: number;
  readonly type: number;
  readonly data: Expression;
}

/** `[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=64}]`. Null: nothing is said, or `...`. */
function wordsOf(expression: Expression | undefined): ControlWords[] | null {
  if (expression === undefined || expression.kind === 'ellipsis') return null;
  if (expression.kind !== 'list') throw new ScriptFailure('msg_control is a list of cmsghdrs');
  return expression.items.map((item) => {
    const fields = new Map(item.kind === 'record' ? item.fields.map(({ name, value }) => [name, value] as const) : []);
    const [level, type, data] = [fields.get('cmsg_level'), fields.get('cmsg_type'), fields.get('cmsg_data')];
    if (level === undefined || type === undefined || data === undefined) {
      throw new ScriptFailure(`a cmsghdr has cmsg_level, cmsg_type and cmsg_data, got ${printExpression(item)}`);
    }
    return { level: numberOf(level), type: numberOf(type), data };
  });
}

/** To be sent. */
export function readControl(expression: Expression | undefined): CallControl[] {
  return (wordsOf(expression) ?? []).map(({ level, type, data }) => ({ level, type, data: bytesOf(data) }));
}

function bytesOf(data: Expression): Uint8Array {
  return data.kind === 'record' ? encode(data.fields) : fieldBytes(data, 4);
}

/** Compares, in order. @throws ScriptFailure */
export function checkControl(actual: readonly CallControl[], expression: Expression | undefined, context: CallContext): void {
  const expected = wordsOf(expression);
  if (expected === null) return;
  const list = actual.map(({ level, type, data }) => `level ${level} type ${type} ${hex(data)}`).join('; ') || 'none';
  if (actual.length !== expected.length) {
    throw new ScriptFailure(`there are ${actual.length} control messages, not ${expected.length}: ${list}`);
  }
  for (const [index, { level, type, data }] of expected.entries()) {
    const given = actual[index]!;
    if (given.level !== level || given.type !== type) {
      throw new ScriptFailure(`control message ${index + 1} is level ${given.level} type ${given.type}, not level ${level} type ${type}`);
    }
    const difference = isStamp(given) ? stampDiffers(given.data, data, context) : differs(given.data, data);
    if (difference !== null) throw new ScriptFailure(`control message ${index + 1} (level ${level} type ${type}): ${difference}`);
  }
}

function isStamp({ level, type }: CallControl): boolean {
  return level === SOL.SOCKET && STAMPS.includes(type);
}

/** Scripts count stamps from their own beginning, and they may be off by the tolerance; the kernel's is the first of them. */
function stampDiffers(actual: Uint8Array, data: Expression, { scriptUs, config }: CallContext): string | null {
  if (data.kind !== 'record') return differs(actual, data);
  const view = new DataView(actual.buffer, actual.byteOffset, actual.length);
  const isMicros = data.fields.some(({ name }) => name === 'tv_usec');
  const part = (names: readonly string[]) => data.fields.find(({ name }) => names.includes(name ?? ''))?.value;
  const [sec, rest] = [part(['scm_sec', 'tv_sec']), part(['scm_nsec', 'tv_nsec', 'tv_usec'])];
  if (sec === undefined || rest === undefined || sec.kind === 'ellipsis' || rest.kind === 'ellipsis') return null;
  const perUs = isMicros ? 1 : 1000;
  const isUs = scriptUs(Number(view.getBigInt64(0, true)) * 1_000_000 + Number(view.getBigInt64(8, true)) / perUs);
  const expectedUs = numberOf(sec) * 1_000_000 + numberOf(rest) / perUs;
  return Math.abs(isUs - expectedUs) <= config.toleranceUs ? null : `it is ${isUs / 1e6} s of the script, not ${expectedUs / 1e6} s`;
}

function differs(actual: Uint8Array, data: Expression): string | null {
  if (data.kind === 'ellipsis') return null;
  if (data.kind === 'record') return recordDiffers(data.fields, actual);
  const expected = fieldBytes(data, actual.length <= 8 ? actual.length : 4);
  return hex(expected) === hex(actual) ? null : `it is ${shown(actual)}, not ${printExpression(data)}`;
}
