import { ScriptFailure } from '../system/script-failure.ts';

/** A word of Python: `text` of a string is without its quotes. */
export interface PythonToken {
  readonly kind: 'number' | 'string' | 'name' | 'sign' | 'end';
  readonly text: string;
}

const TOKEN =
  /[ \t]*(?:(#[^\n]*)|(\n|;)|(0[xX][0-9a-fA-F]+|\d+\.\d*|\.\d+|\d+)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([A-Za-z_]\w*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%<>()=,&|^~[\]:.]))/;

/** The words of a piece of Python, lines ended by 'end'; line breaks within brackets end none. @throws ScriptFailure */
export function readPython(text: string): PythonToken[] {
  const tokens: PythonToken[] = [];
  const source = text.replaceAll('\\\n', ' ').trimEnd();
  const token = new RegExp(TOKEN.source, 'y');
  let depth = 0;
  for (let at = 0; at < source.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(source);
    if (found === null) throw new ScriptFailure(`the code cannot be read from '${source.slice(at, at + 20).trim()}' on`);
    const [, comment, end, number, string, name, sign] = found;
    if (comment !== undefined || (end === '\n' && depth > 0)) continue;
    if (end !== undefined) tokens.push({ kind: 'end', text: end });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (string !== undefined) tokens.push({ kind: 'string', text: unescaped(string.slice(1, -1)) });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) {
      if ('(['.includes(sign)) depth++;
      if (')]'.includes(sign)) depth--;
      tokens.push({ kind: 'sign', text: sign });
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_all, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char));
}
