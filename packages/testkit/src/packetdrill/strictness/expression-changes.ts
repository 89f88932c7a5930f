import type { Expression } from '../language/expression.ts';
import { printExpression } from '../language/print-expression.ts';
import type { Change } from './mutant.ts';
import { within } from './mutant.ts';

/** An expression with one of its values changed, for each. `only`: of records, fields of this name alone. */
export function expressionChanges(expression: Expression, only?: readonly string[]): Change<Expression>[] {
  switch (expression.kind) {
    case 'number':
      return changed(expression, { ...expression, value: expression.value + 1 });
    case 'string':
      return changed(expression, { ...expression, value: otherText(expression.value) });
    case 'name':
      return changed(expression, { kind: 'number', value: 54_321, hex: false });
    case 'unary':
      return changed(expression, expression.operand);
    case 'binary':
      return changed(expression, expression.left);
    case 'list':
      return expression.items.flatMap((item, i) =>
        within(expressionChanges(item, only), (value) => ({ ...expression, items: expression.items.with(i, value) })),
      );
    case 'call':
      return expression.args.flatMap((arg, i) =>
        within(expressionChanges(arg), (value) => ({ ...expression, args: expression.args.with(i, value) })),
      );
    case 'record':
      return expression.fields.flatMap((field, i) => {
        if (only !== undefined && (field.name === null || !only.includes(field.name))) return [];
        return within(expressionChanges(field.value), (value) => ({
          ...expression,
          fields: expression.fields.with(i, { ...field, value }),
        }));
      });
    default:
      return [];
  }
}

function changed(from: Expression, to: Expression): Change<Expression>[] {
  return [{ what: `${printExpression(from)} → ${printExpression(to)}`, value: to }];
}

/** Another of the same kind: the last digit of an address, the last letter of text. */
function otherText(text: string): string {
  if (text === '') return 'x';
  const last = text.charCodeAt(text.length - 1);
  return text.slice(0, -1) + String.fromCharCode(last === 0x39 || last === 0xff ? last - 1 : last + 1);
}
