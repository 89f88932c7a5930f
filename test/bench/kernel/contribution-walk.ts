import type { Contributions, CurrentOwner, ModuleContext } from '@softnet/contract';
import { definePoint } from '@softnet/contract';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { moduleOf, probe, virtualKernel } from './bench-kernel.ts';

/** What packets pass: each of four modules contributes one. */
interface Layer {
  input(x: number): number;
}

class North implements Layer {
  seen = 0;
  input(x: number): number {
    this.seen = (this.seen + x) | 0;
    return this.seen;
  }
}

class East implements Layer {
  north = 0;
  seen = 0;
  input(x: number): number {
    this.seen = (this.seen ^ x) | 0;
    return this.seen;
  }
}

class South implements Layer {
  east = 0;
  north = 0;
  seen = 0;
  input(x: number): number {
    this.seen = (this.seen - x) | 0;
    return this.seen;
  }
}

class West implements Layer {
  seen = 0;
  south = 0;
  input(x: number): number {
    this.seen = (this.seen + x + 1) | 0;
    return this.seen;
  }
}

function layers(): Layer[] {
  return [new North(), new East(), new South(), new West()];
}

/** Says before each item whose it is, as the contract asks of what calls into other modules' packet code. */
function walkOwned(point: Contributions<Layer>, current: CurrentOwner): Loop {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 4) {
      const { items, owners } = point;
      const before = current.id;
      for (let at = 0; at < items.length; at++) {
        current.id = owners[at]!;
        sum = (sum + items[at]!.input(i)) | 0;
      }
      current.id = before;
    }
    return sum;
  };
}

function walkArray(items: readonly Layer[]): Loop {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 4) {
      for (let at = 0; at < items.length; at++) sum = (sum + items[at]!.input(i)) | 0;
    }
    return sum;
  };
}

async function softnetLoop(): Promise<Loop> {
  const point = definePoint<Layer>({ name: 'Layer', version: '1.0.0' });
  const kernel = virtualKernel();
  const context: ModuleContext = await probe(kernel);
  for (const [at, layer] of layers().entries()) {
    await kernel.load(moduleOf({ name: `layer-${at}`, provides: [point] }, (ctx) => ctx.contribute(point, layer, 'corridor')));
  }
  return walkOwned(kernel.contributions(point), context.current);
}

export function contributionWork(): Work {
  return {
    name: 'contribution-walk',
    summary: 'an item of a point with four contributions, the current owner switched for each',
    units: { ns: 'less' },
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await softnetLoop()) },
      { name: 'array', measure: () => nsOf(walkArray(layers())) },
    ],
  };
}
