/** A word of a filter's text, and where it begins. */
export interface FilterWord {
  readonly text: string;
  /** 0: the first character. */
  readonly at: number;
}

const SIGNS: Readonly<Record<string, string>> = Object.freeze({ '&&': 'and', '||': 'or', '!': 'not' });

/** Words of a filter in small letters: parentheses are words of their own, `&&`, `||` and `!` are `and`, `or`, `not`. The last one is empty, and stands at the end. */
export function filterWords(text: string): FilterWord[] {
  const words: FilterWord[] = [];
  for (const { 0: word, index } of text.matchAll(/[()!]|&&|\|\||[^\s()!&|]+|[&|]/g)) {
    words.push({ text: Object.hasOwn(SIGNS, word) ? SIGNS[word]! : word.toLowerCase(), at: index });
  }
  words.push({ text: '', at: text.length });
  return words;
}
