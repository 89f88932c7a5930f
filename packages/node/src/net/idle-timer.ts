import type { FaceHost } from '@softnet/contract';

/** Says when nothing has happened for a while of kernel time. One timer, however often something happens. */
export class IdleTimer {
  readonly #face: FaceHost;
  readonly #idle: () => void;
  #delayUs = 0;
  #lastUs = 0;
  #cancel: (() => void) | null = null;

  constructor(face: FaceHost, idle: () => void) {
    this.#face = face;
    this.#idle = idle;
  }

  /** @param delayMs 0: never. */
  set(delayMs: number): void {
    this.stop();
    this.#delayUs = delayMs * 1000;
    this.touch();
  }

  touch(): void {
    this.#lastUs = this.#face.clock.nowUs;
    // It is set just now, or has told, and tells again.
    if (this.#cancel === null && this.#delayUs > 0) this.#arm(this.#delayUs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#delayUs = 0;
  }

  #arm(delayUs: number): void {
    this.#cancel = this.#face.after(delayUs, () => this.#look(), 'net.timeout');
  }

  #look(): void {
    const restUs = this.#lastUs + this.#delayUs - this.#face.clock.nowUs;
    this.#cancel = null;
    if (restUs > 0) this.#arm(restUs);
    // What the program does is no fault of the kernel's.
    else process.nextTick(() => this.#delayUs > 0 && this.#idle());
  }
}
