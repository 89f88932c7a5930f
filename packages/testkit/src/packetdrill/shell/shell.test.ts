import { NetError } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScriptFailure } from '../system/script-failure.ts';
import type { ShellSystem } from './shell.ts';
import { Shell } from './shell.ts';

const FILES: Readonly<Record<string, string>> = {
  './more.sh': 'echo "$0 $# $1"; [ "$1" = a ] || exit 3',
  './deep.sh': '. ./deep.sh',
};

/** A system with two settings. */
class Two implements ShellSystem {
  readonly settings = new Map([
    ['/a', '1'],
    ['/b', '2 3'],
  ]);

  command(name: string) {
    if (name === 'get') return ({ words }: { words: readonly string[] }) => `${this.read(words[0]!)}\n`;
    if (name === '.') return ({ words, shell }: { words: readonly string[]; shell: Shell }) => shell.source(words[0]!, words.slice(1));
    return null;
  }

  read(path: string): string {
    const text = FILES[path] ?? this.settings.get(path);
    if (text === undefined) throw new NetError('ENOENT', `there is no ${path}`);
    return text;
  }

  write(path: string, text: string): void {
    if (path !== '/dev/null') this.settings.set(path, text.trim());
  }
}

function run(text: string): string {
  return new Shell(new Two()).run(text);
}

test.each([
  ['echo a; echo b\necho  c # d\n  # e; f\necho "#g"', 'a\nb\nc\n#g\n'],
  ['echo \'a  "b"\' "c  \'d\'" e\\ f "\\$x" \'$x\'', 'a  "b" c  \'d\' e f $x $x\n'],
  [`x=1 y="2 3"; echo $x "$y" $\{x}4 $\{z:-none} "$\{z-}" $x$y`, '1 2 3 14 none  12 3\n'],
  ['x="a b"; for i in $x "$x" c; do echo "[$i]"; done', '[a]\n[b]\n[a b]\n[c]\n'],
  ['echo $(get /a)-`get /b` "$(echo "a b" | grep -c a)"', '1-2 3 1\n'],
  ['echo $((1 + 2 * 3)) $(( (7 / 2) << 1 )) $((15*1024*1024))', '7 6 15728640\n'],
  ['x=5; echo $((x + 1)) $(($x > 4 && 1))', '6 1\n'],
  ['if [ $(get /a) -eq 1 ]; then echo yes; else echo no; fi', 'yes\n'],
  ['if get /none 2>/dev/null; then echo yes; elif [ -n "" ]; then echo no; else echo last; fi', 'last\n'],
  ['get /none 2>/dev/null || echo other', 'other\n'],
  ['false && echo a || echo b; true && ! false && echo c', 'b\nc\n'],
  ['echo 7 > /c; get /c; { echo 8; } >/dev/null 2>&1; echo 9 &>/dev/null; get < /b /c', '7\n7\n'],
  ['(echo a; echo b) | tail -n 1; printf "%s-%d\\n" x 3; echo -n z', 'b\nx-3\nz'],
  ['i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i; until true; do :; done', '3\n'],
  ['. ./more.sh a; echo "$# $?"', './more.sh 1 a\n0 0\n'],
  ['[[ a == a ]] && test ! b = c && [ 1 -le 2 -a x != y ] && echo so', 'so\n'],
  ['set -e\nset -o pipefail\nexport A=b\necho $A\nunset A; echo "[$A]"', 'b\n[]\n'],
  ['echo one \\\n  two; exit 0; echo three', ''],
])('%s', (text, output) => {
  expect(run(text)).toBe(output);
});

test.each([
  ['get /none', 'there is no /none'],
  ['get /none; true', 'there is no /none'],
  ['false', 'ended with status 1'],
  ['false; true', 'ended with status 1'],
  ['. ./more.sh b', 'ended with status 3'],
  ['. ./deep.sh', 'more than 8 files deep'],
  ['exit 4', 'ended with status 4'],
  ['rm -rf /', "there is no command 'rm'"],
  ['while true; do :; done', 'has not ended after 10000 commands'],
  ['if true; then echo a', "'fi' is expected at its end"],
  ['echo "a', "'\"' is expected"],
  ['echo a; )', 'a command is expected'],
  ['echo $(( 1 + ))', 'a value is expected'],
  ['[ a = b', "']' is expected"],
  ['[ a ~ b ]', "the test 'a ~ b' is not known"],
  ['grep -Z x', 'grep takes'],
  ['echo > ', 'a file is expected'],
])('%s fails', (text, sentence) => {
  expect(() => run(text)).toThrow(sentence);
});

test('garbage is run, or a ScriptFailure', () => {
  const words = [
    'echo',
    'a',
    '"',
    "'",
    '\\',
    '#',
    ';',
    '&&',
    '||',
    '|',
    '>',
    '2>',
    '&1',
    '\n',
    '$',
    '$(',
    ')',
    '`',
    '((',
    '${',
    '}',
    '{',
    'if',
    'then',
    'fi',
    'for',
    'in',
    'do',
    'done',
    '[',
    ']',
    '!',
    'x=1',
  ];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((each) => each.join(' ')),
        fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((each) => each.join('')),
      ),
      (text) => {
        try {
          run(text);
        } catch (error) {
          if (!(error instanceof ScriptFailure) && !(error instanceof NetError)) throw error;
        }
      },
    ),
    { numRuns: 1500 },
  );
});
