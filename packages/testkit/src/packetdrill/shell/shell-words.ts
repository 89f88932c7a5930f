import { ScriptFailure } from '../system/script-failure.ts';

/** One command of a shell line: its words, and where its output goes. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** A file to which it writes (`>`); null: none, or /dev/null. */
  readonly output: string | null;
}

const TOKEN =
  /\s*(?:(\n|;|&&)|(#[^\n]*)|(\d?>&\d)|(\d?>{1,2})|((?:"[^"]*"|'[^']*'|\\[\s\S]|[^\s;#"'>&\\]|&(?!&|>))(?:"[^"]*"|'[^']*'|\\[\s\S]|[^\s;"'>&\\]|&(?!&|>))*))/;

/** Reads shell text: commands by lines, `;` and `&&`, quotes, comments, redirections. @throws ScriptFailure for what is none of these. */
export function readShell(text: string): ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let output: string | null = null;
  let redirects = false;
  const end = () => {
    if (words.length > 0) commands.push({ words, output: output === '/dev/null' ? null : output });
    words = [];
    output = null;
  };
  // A line ends where the next begins, also when blanks stand before it.
  const source = text
    .replaceAll('\\\n', ' ')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, ' ; ')
    .trim();
  const token = new RegExp(TOKEN.source, 'y');
  for (let at = 0; at < source.length; at = token.lastIndex) {
    token.lastIndex = at;
    const [whole, stop, comment, both, into, word] = token.exec(source) ?? [];
    if (whole === undefined) throw new ScriptFailure(`the shell line cannot be read from '${source.slice(at, at + 20)}' on`);
    if (stop !== undefined) end();
    else if (comment !== undefined) token.lastIndex = endOfComment(source, at, whole);
    else if (into !== undefined) redirects = true;
    else if (word !== undefined && redirects) {
      output = unquoted(word);
      redirects = false;
    } else if (word !== undefined) words.push(unquoted(word));
    else if (both === undefined) break;
  }
  end();
  return commands;
}

/** Lines are joined by ' ; ' above: a comment ends there. */
function endOfComment(source: string, at: number, whole: string): number {
  const stop = source.indexOf(' ; ', at + whole.indexOf('#'));
  return stop < 0 ? source.length : stop;
}

function unquoted(word: string): string {
  return word.replace(
    /"([^"]*)"|'([^']*)'|\\([\s\S])/g,
    (_all, double?: string, single?: string, other?: string) => double ?? single ?? other ?? '',
  );
}
