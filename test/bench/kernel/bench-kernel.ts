import type { Manifest, ModuleClass, ModuleContext } from '@softnet/contract';
import { Module } from '@softnet/contract';
import type { KernelOptions } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';

/** A module that does in its start what it is told. */
export function moduleOf(manifest: Omit<Manifest, 'version'>, start: (ctx: ModuleContext) => void): ModuleClass {
  class Told {
    start(ctx: ModuleContext): void {
      start(ctx);
    }
  }
  Module({ version: '1.0.0', ...manifest })(Told);
  return Told;
}

/** A kernel in virtual time (a read of the clock is a read of a field, as it is within a batch of a real one). */
export function virtualKernel(options: KernelOptions = {}): Kernel {
  return new Kernel({ name: 'bench', world: new World({ maxStepsPerInstant: Number.MAX_SAFE_INTEGER }), ...options });
}

/** The context of a module `probe` that requires nothing, in a kernel of its own. */
export async function probe(kernel: Kernel): Promise<ModuleContext> {
  let context: ModuleContext | undefined;
  await kernel.load(
    moduleOf({ name: 'probe' }, (ctx) => {
      context = ctx;
    }),
  );
  return context!;
}
