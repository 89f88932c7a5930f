/** What goes wrong while nobody waits for it: told to who listens, or forgotten. */
export class Troubles {
  #tell: (error: unknown) => void = () => undefined;

  listen(tell: (error: unknown) => void): void {
    this.#tell = tell;
  }

  readonly say = (error: unknown): void => this.#tell(error);
}
