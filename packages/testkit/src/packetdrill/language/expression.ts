/** What calls take and give, as read: C's, and `...` for what the runner fills in or nobody looks at. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly hex: boolean }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'record'; readonly fields: readonly RecordField[] }
  | { readonly kind: 'unary'; readonly sign: UnarySign; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly sign: BinarySign; readonly left: Expression; readonly right: Expression };

export type UnarySign = '-' | '~' | '&';
/** No more than these: with '+' or '*' the time of the next event would be part of a result. */
export type BinarySign = '|' | '<<';

/** Of a struct: `name = value`, `name(argument) = value`, or a value by its place. */
export interface RecordField {
  readonly name: string | null;
  /** `msg_iov(1)=...`. */
  readonly argument: Expression | null;
  readonly value: Expression;
}

/** Weakest first; those of a row bind alike, to the left. */
export const BINARY_SIGNS: readonly (readonly BinarySign[])[] = Object.freeze([['|'], ['<<']]);
