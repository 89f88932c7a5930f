/** A part of a word. What is quoted is never split at blanks. */
export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: Word | null; readonly quoted: boolean }
  | { readonly kind: 'command'; readonly body: ShellNode; readonly quoted: boolean }
  | { readonly kind: 'arithmetic'; readonly body: Word; readonly quoted: boolean };

export type Word = readonly WordPart[];

/** `> file`, `2>/dev/null`, `2>&1`, `< file`. */
export interface Redirection {
  readonly from: 'input' | 'output' | 'errors' | 'both';
  readonly appends: boolean;
  /** Null: the one goes where the other goes, which changes nothing here. */
  readonly to: Word | null;
}

export interface SimpleCommand {
  readonly kind: 'simple';
  readonly assignments: readonly (readonly [name: string, value: Word])[];
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
}

/** Shell text, read. */
export type ShellNode =
  | SimpleCommand
  | { readonly kind: 'list'; readonly items: readonly ShellNode[] }
  | { readonly kind: 'and' | 'or'; readonly left: ShellNode; readonly right: ShellNode }
  | { readonly kind: 'not'; readonly item: ShellNode }
  | { readonly kind: 'pipe'; readonly items: readonly ShellNode[] }
  | { readonly kind: 'group'; readonly body: ShellNode; readonly redirections: readonly Redirection[] }
  | {
      readonly kind: 'if';
      readonly branches: readonly (readonly [condition: ShellNode, body: ShellNode])[];
      readonly other: ShellNode | null;
    }
  | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: ShellNode }
  | { readonly kind: 'while'; readonly condition: ShellNode; readonly isUntil: boolean; readonly body: ShellNode };
