import type { Expression } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { numberOf } from './evaluate.ts';
import { encode, fieldBytes, hex, recordDiffers, shown } from './layouts.ts';
import { ScriptFailure } from './script-failure.ts';

type Args = readonly Expression[];
const NOTHING: Expression = Object.freeze({ kind: 'number', value: 0, hex: false });
/** Longer than any option's value. */
const ROOM_BYTES = 256;

/** Calls about options, and ioctl. */
export const OPTION_CALLS: Readonly<Record<string, (context: CallContext, args: Args) => MadeCall>> = Object.freeze({
  setsockopt: (context, args) => {
    const [level, name] = [numberOf(argument(args, 1, 'the level')), numberOf(argument(args, 2, 'the option'))];
    const value = argument(args, 3, 'the value');
    const length = argument(args, 4, 'the length');
    const bytes = valueBytes(value);
    const lenBytes = length.kind === 'ellipsis' ? bytes.length : numberOf(length);
    const given = new Uint8Array(Math.min(Math.max(lenBytes, 0), ROOM_BYTES));
    given.set(bytes.subarray(0, given.length));
    return { answer: context.calls.setOption(context.live(context.fd(args[0])), level, name, given) };
  },
  getsockopt: (context, args) => {
    const [level, name] = [numberOf(argument(args, 1, 'the level')), numberOf(argument(args, 2, 'the option'))];
    const bytes = new Uint8Array(roomOf(args[4], args[3]));
    const written = context.calls.getOption(context.live(context.fd(args[0])), level, name, bytes);
    const verify = () => checkValue(bytes.subarray(0, written), argument(args, 3, 'the value'), args[4]);
    return { answer: Math.min(written, 0), verify };
  },
  ioctl: (context, args) => {
    const request = numberOf(argument(args, 1, 'the request'));
    const value = argument(args, 2, 'the value');
    const bytes = fieldBytes(value.kind === 'ellipsis' ? NOTHING : onlyItem(value), 4);
    const answer = context.calls.ioctl(context.live(context.fd(args[0])), request, bytes);
    return { answer, verify: () => checkNumber(new DataView(bytes.buffer).getInt32(0, true), value) };
  },
});

function checkNumber(actual: number, expression: Expression): void {
  if (expression.kind === 'ellipsis') return;
  const expected = numberOf(onlyItem(expression));
  if (actual !== expected) throw new ScriptFailure(`the value is ${actual}, not ${expected}`);
}

function onlyItem(expression: Expression): Expression {
  if (expression.kind !== 'list') return expression;
  const [item] = expression.items;
  if (item === undefined || expression.items.length > 1)
    throw new ScriptFailure(`one value in brackets is expected, got ${printExpression(expression)}`);
  return item;
}

/** `[1]`, `{onoff=1, linger=0}`, `"eth0"`, `[1, 2]`: ints. */
function valueBytes(value: Expression): Uint8Array {
  if (value.kind === 'record') return encode(value.fields);
  if (value.kind === 'list')
    return Uint8Array.from(value.items.flatMap((item) => [...(item.kind === 'record' ? encode(item.fields) : fieldBytes(item, 4))]));
  if (value.kind === 'ellipsis') return new Uint8Array(4);
  return fieldBytes(value, 4);
}

function roomOf(length: Expression | undefined, value: Expression | undefined): number {
  if (length?.kind === 'list' && length.items[0] !== undefined && length.items[0].kind !== 'ellipsis') {
    return Math.min(Math.max(numberOf(length.items[0]), 0), ROOM_BYTES);
  }
  return value?.kind === 'list' ? 4 : ROOM_BYTES;
}

/** @param length `[4]`: of what is given; one number is both the room and what was written, as scripts write it. */
function checkValue(actual: Uint8Array, value: Expression, length: Expression | undefined): void {
  if (length?.kind === 'list' && length.items[0] !== undefined && length.items[0].kind !== 'ellipsis') {
    const expected = numberOf(length.items[0]);
    if (actual.length !== expected) throw new ScriptFailure(`the value has ${actual.length} bytes, not ${expected}`);
  }
  if (value.kind === 'ellipsis') return;
  if (value.kind === 'record') {
    const difference = recordDiffers(value.fields, actual);
    if (difference !== null) throw new ScriptFailure(`in the value ${difference}`);
    return;
  }
  if (value.kind === 'string') {
    const text = String.fromCharCode(...actual).replace(/\0+$/, '');
    if (text !== value.value) throw new ScriptFailure(`the value is ${JSON.stringify(text)}, not ${JSON.stringify(value.value)}`);
    return;
  }
  const items = value.kind === 'list' ? value.items : [value];
  if (items.length === 1) {
    const expected = fieldBytes(items[0]!, Math.min(actual.length, 8));
    if (hex(expected) !== hex(actual)) throw new ScriptFailure(`the value is ${shown(actual)}, not ${printExpression(items[0]!)}`);
    return;
  }
  const expected = Uint8Array.from(items.flatMap((item) => [...fieldBytes(item, 4)]));
  if (hex(expected) !== hex(actual)) throw new ScriptFailure(`the value is ${hex(actual)}, not ${printExpression(value)}`);
}
