import { ScriptFailure } from '../system/script-failure.ts';
import type { ShellCall, ShellCommand } from './shell.ts';

const failed = Object.freeze({ output: '', status: 1 });

/** A shell's own commands, and small programs about text. */
export const SHELL_COMMANDS: ReadonlyMap<string, ShellCommand> = new Map(
  Object.entries<ShellCommand>({
    true: () => {},
    ':': () => {},
    false: () => failed,
    echo: ({ words }) => (words[0] === '-n' ? words.slice(1).join(' ') : `${words.filter((word) => word !== '-e').join(' ')}\n`),
    printf: ({ words: [format = '', ...values] }) => {
      let next = 0;
      return format.replaceAll('\\n', '\n').replace(/%[sd]/g, () => values[next++] ?? '');
    },
    exit: ({ words, shell }) => shell.exit(Number(words[0] ?? 0)),
    return: ({ words, shell }) => shell.exit(Number(words[0] ?? 0)),
    set: ({ words }) => only(words, /^[-+][euxo]+$|^pipefail$/, 'set takes -e, -u, -x and -o pipefail here'),
    export: assign,
    local: assign,
    readonly: assign,
    unset: ({ words, shell }) => {
      for (const word of words) shell.variables.delete(word);
    },
    '[': ({ words }) => {
      if (words.at(-1) !== ']') throw new ScriptFailure("in the shell line ']' is expected behind '['");
      return tested(words.slice(0, -1)) ? '' : failed;
    },
    '[[': ({ words }) => {
      if (words.at(-1) !== ']]') throw new ScriptFailure("in the shell line ']]' is expected behind '[['");
      return tested(words.slice(0, -1)) ? '' : failed;
    },
    test: ({ words }) => (tested(words) ? '' : failed),
    grep,
    head: ({ words, input }) => lines(input).slice(0, countOf(words)).join(''),
    tail: ({ words, input }) => lines(input).slice(-countOf(words)).join(''),
    wc: ({ words, input }) => {
      only(words, /^-l$/, 'wc takes -l here');
      return `${lines(input).length}\n`;
    },
  }),
);

function only(words: readonly string[], known: RegExp, sentence: string): undefined {
  const unknown = words.find((word) => !known.test(word));
  if (unknown !== undefined) throw new ScriptFailure(`${sentence}, got '${unknown}'`);
}

function assign({ words, shell }: ShellCall): undefined {
  for (const word of words) {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? [];
    if (name !== undefined) shell.variables.set(name, value!);
  }
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** `-n 3`, `-n3`, `-3`. */
function countOf(words: readonly string[]): number {
  if (words.length === 0) return 10;
  const [, digits] = /^-n?\s*(\d+)$/.exec(words.join(' ')) ?? [];
  if (digits === undefined) throw new ScriptFailure(`'-n NUMBER' is expected, got '${words.join(' ')}'`);
  return Number(digits);
}

function grep({ words, input }: ShellCall): { output: string; status: number } {
  const flags = words.filter((word) => /^-[a-zA-Z]+$/.test(word)).join('');
  only([...flags.replaceAll('-', '')], /^[qvciwEFo]$/, 'grep takes -q, -v, -c, -i, -w, -o, -E and -F here');
  const [pattern, ...files] = words.filter((word) => !/^-[a-zA-Z]+$/.test(word));
  if (pattern === undefined || files.length > 0) throw new ScriptFailure('grep takes a pattern, and reads its input here');
  const has = (flag: string) => flags.includes(flag);
  const source = has('F') ? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : pattern;
  const wanted = patternOf(has('w') ? `\\b(?:${source})\\b` : source, has('i') ? 'i' : '');
  const found = lines(input).filter((line) => wanted.test(line.replace(/\n$/, '')) !== has('v'));
  const output = has('o') ? found.map((line) => `${wanted.exec(line)?.[0] ?? ''}\n`) : found;
  return { output: has('q') ? '' : has('c') ? `${found.length}\n` : output.join(''), status: found.length > 0 ? 0 : 1 };
}

function patternOf(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    throw new ScriptFailure(`grep: '${source}' is no pattern`);
  }
}

/** `test`: text, numbers, `!`, `-a`, `-o`. */
function tested(words: readonly string[]): boolean {
  const or = words.findIndex((word) => word === '-o' || word === '||');
  if (or > 0) return tested(words.slice(0, or)) || tested(words.slice(or + 1));
  const and = words.findIndex((word) => word === '-a' || word === '&&');
  if (and > 0) return tested(words.slice(0, and)) && tested(words.slice(and + 1));
  if (words[0] === '!') return !tested(words.slice(1));
  const [left = '', sign, right = ''] = words;
  if (words.length <= 1) return left !== '';
  if (words.length === 2) {
    if (left === '-n') return sign !== '';
    if (left === '-z') return sign === '';
    if (left === '-e' || left === '-f' || left === '-x' || left === '-d') return false;
  }
  const [a, b] = [Number(left), Number(right)];
  const holds: Readonly<Record<string, boolean>> = {
    ...{ '=': left === right, '==': left === right, '!=': left !== right },
    ...{ '-eq': a === b, '-ne': a !== b, '-lt': a < b, '-le': a <= b, '-gt': a > b, '-ge': a >= b },
  };
  if (words.length === 3 && sign !== undefined && Object.hasOwn(holds, sign)) return holds[sign]!;
  throw new ScriptFailure(`the test '${words.join(' ')}' is not known`);
}
