import { parseIpv4, parseIpv6 } from '@softnet/wire';
import type { Expression } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import { CONSTANTS } from './constants.ts';
import { ScriptFailure } from './script-failure.ts';

/** What an expression is worth: numbers as C has them, text, or the bytes of an address. */
export type Value = number | string | Uint8Array;

export function evaluate(expression: Expression): Value {
  switch (expression.kind) {
    case 'number':
    case 'real':
      return expression.value;
    case 'string':
      return expression.value;
    case 'name':
      return constantOf(expression.name);
    case 'unary':
      return unary(expression.sign, expression.operand);
    case 'binary': {
      const [left, right] = [numberOf(expression.left), numberOf(expression.right)];
      return expression.sign === '|' ? (left | right) >>> 0 : (left << right) >>> 0;
    }
    case 'call':
      return called(expression.name, expression.args);
    default:
      throw new ScriptFailure(`a value is expected where '${printExpression(expression)}' stands`);
  }
}

/** @throws ScriptFailure for what is none. */
export function numberOf(expression: Expression): number {
  const value = evaluate(expression);
  if (typeof value === 'number') return value;
  throw new ScriptFailure(`a number is expected where '${printExpression(expression)}' stands`);
}

function constantOf(name: string): number {
  const value = CONSTANTS.get(name);
  if (value !== undefined) return value;
  throw new ScriptFailure(`there is no constant '${name}'`);
}

function unary(sign: '-' | '~' | '&', operand: Expression): Value {
  if (sign === '&') return evaluate(operand);
  const value = numberOf(operand);
  return sign === '-' ? -value : ~value;
}

/** Functions that scripts call within arguments. Words of addresses are as they lie in memory, so that `htons` swaps. */
function called(name: string, args: readonly Expression[]): Value {
  const last = args.at(-1);
  if (name === 'htons' || name === 'ntohs') return swap16(numberOf(only(name, args)));
  if (name === 'htonl' || name === 'ntohl') return swap32(numberOf(only(name, args)));
  if (name === 'inet_addr') return swap32(ipv4Of(evaluate(only(name, args))));
  if (name === 'inet6_addr') return ipv6Of(evaluate(only(name, args)));
  if (name === 'inet_pton' && args.length >= 2 && last !== undefined) {
    return numberOf(args[0]!) === CONSTANTS.get('AF_INET') ? swap32(ipv4Of(evaluate(args[1]!))) : ipv6Of(evaluate(args[1]!));
  }
  throw new ScriptFailure(`there is no function '${name}'; there are htons, htonl, ntohs, ntohl, inet_addr, inet6_addr, inet_pton`);
}

function only(name: string, args: readonly Expression[]): Expression {
  if (args.length !== 1) throw new ScriptFailure(`${name} takes one argument, got ${args.length}`);
  return args[0]!;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function ipv4Of(value: Value): number {
  const address = typeof value === 'string' ? parseIpv4(value) : null;
  if (address === null) throw new ScriptFailure(`'${String(value)}' is no IPv4 address`);
  return address;
}

function ipv6Of(value: Value): Uint8Array {
  const words = typeof value === 'string' ? parseIpv6(value) : null;
  if (words === null) throw new ScriptFailure(`'${String(value)}' is no IPv6 address`);
  return Uint8Array.from(words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]));
}
