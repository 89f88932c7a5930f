import type { BinarySign, Expression, RecordField } from './expression.ts';
import { BINARY_SIGNS } from './expression.ts';

/** An expression as text. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return expression.hex ? `0x${expression.value.toString(16)}` : String(expression.value);
    case 'real':
      return Number.isInteger(expression.value) ? expression.value.toFixed(1) : String(expression.value);
    case 'string':
      return `"${quoted(expression.value)}"`;
    case 'name':
      return expression.name;
    case 'ellipsis':
      return '...';
    case 'call':
      return `${expression.name}(${expression.args.map(printExpression).join(', ')})`;
    case 'list':
      return `[${expression.items.map(printExpression).join(', ')}]`;
    case 'record':
      return `{${expression.fields.map(printField).join(', ')}}`;
    case 'unary':
      return `${expression.sign}${inner(expression.operand, BINARY_SIGNS.length)}`;
    case 'binary': {
      const row = rowOf(expression.sign);
      return `${inner(expression.left, row)} ${expression.sign} ${inner(expression.right, row + 1)}`;
    }
  }
}

function printField({ name, argument, value }: RecordField): string {
  if (name === null) return printExpression(value);
  return `${name}${argument === null ? '' : `(${printExpression(argument)})`}=${printExpression(value)}`;
}

/** In brackets where it binds more weakly than its place asks. */
function inner(expression: Expression, row: number): string {
  const text = printExpression(expression);
  return expression.kind === 'binary' && rowOf(expression.sign) < row ? `(${text})` : text;
}

function rowOf(sign: BinarySign): number {
  return BINARY_SIGNS.findIndex((row) => row.includes(sign));
}

function quoted(value: string): string {
  return value.replace(/[\\"]|[^ -~]/g, (char) =>
    char === '\\' || char === '"' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
