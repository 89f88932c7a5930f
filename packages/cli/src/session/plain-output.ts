import { noPaint } from '../text/paint.ts';
import type { Output } from './output.ts';

/** Lines of text to anywhere: no colours, no line that changes. */
export class PlainOutput implements Output {
  readonly width = 100;
  readonly paint = noPaint;
  readonly #write: (text: string) => void;

  /** @param write takes whole lines, with their ends. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  print(text: string): void {
    this.#write(`${text}\n`);
  }

  status(): void {}
}
