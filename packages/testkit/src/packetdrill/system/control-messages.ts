import type { Expression } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import { numberOf } from './evaluate.ts';
import { encode, fieldBytes, hex, recordDiffers, shown } from './layouts.ts';
import { ScriptFailure } from './script-failure.ts';
import type { CallControl } from './system-calls.ts';

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
export function checkControl(actual: readonly CallControl[], expression: Expression | undefined): void {
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
    const difference = differs(given.data, data);
    if (difference !== null) throw new ScriptFailure(`control message ${index + 1} (level ${level} type ${type}): ${difference}`);
  }
}

function differs(actual: Uint8Array, data: Expression): string | null {
  if (data.kind === 'ellipsis') return null;
  if (data.kind === 'record') return recordDiffers(data.fields, actual);
  const expected = fieldBytes(data, actual.length <= 8 ? actual.length : 4);
  return hex(expected) === hex(actual) ? null : `it is ${shown(actual)}, not ${printExpression(data)}`;
}
