/** Colours that a terminal may show; each has a meaning, never only a look. */
export type Style = 'good' | 'busy' | 'bad' | 'faint';

/** Dresses a text in escape codes, or leaves it. */
export type Paint = (text: string, style: Style) => string;

const CODES: Readonly<Record<Style, number>> = Object.freeze({ good: 32, busy: 33, bad: 31, faint: 2 });

export const ansiPaint: Paint = (text, style) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

export const noPaint: Paint = (text) => text;
