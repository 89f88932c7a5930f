import type { CallContext } from '../system/call-context.ts';

export class CodeLines {
  constructor(_context: CallContext) {}
  add(_text: string, _line: number): void {}
  run(): void {}
}
