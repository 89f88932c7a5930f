import type { Kernel } from '@softnet/kernel';
import type { CaptureFile } from './capture-file.ts';

/** The captures that a session has begun, by kernel. */
export class CapturesRunning {
  #all: readonly { readonly kernel: Kernel; readonly file: CaptureFile }[] = [];

  add(kernel: Kernel, file: CaptureFile): void {
    this.#all = [...this.#all, { kernel, file }];
  }

  forget(file: CaptureFile): void {
    this.#all = this.#all.filter((each) => each.file !== file);
  }

  of(kernel: Kernel): CaptureFile[] {
    return this.#all.filter((each) => each.kernel === kernel).map(({ file }) => file);
  }

  /** Ends those of a kernel. Returns them. */
  stop(kernel: Kernel): CaptureFile[] {
    const files = this.of(kernel);
    for (const file of files) {
      this.forget(file);
      file.stop();
    }
    return files;
  }
}
