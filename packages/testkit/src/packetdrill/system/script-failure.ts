/** What the script expects did not happen; or it asks for what there is not. */
export class ScriptFailure extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'ScriptFailure';
  }
}
