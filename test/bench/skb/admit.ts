import { MemoryAccounts } from '@softnet/contract';
import { SkbModule } from '@softnet/skb';
import { virtualKernel } from '../kernel/bench-kernel.ts';
import type { Loop } from '../span.ts';

const TRUESIZE = 2352;
const LIMIT_BYTES = 212_992;

/** A packet is let in by its module's account, and given back. */
export async function admitLoop(): Promise<Loop> {
  const kernel = virtualKernel();
  await kernel.world.run(kernel.load(SkbModule));
  const account = kernel.port(MemoryAccounts).current.open('bench');
  return (n) => {
    let held = 0;
    for (let i = 0; i < n; i++) {
      if (account.admit(TRUESIZE, held, LIMIT_BYTES)) held += TRUESIZE;
      if ((i & 31) !== 31) continue;
      account.sub(held);
      held = 0;
    }
    return held;
  };
}

/** A socket that looks at its own limit, and at nothing else. */
export function limitLoop(): Loop {
  return (n) => {
    let held = 0;
    for (let i = 0; i < n; i++) {
      if (held === 0 || held + TRUESIZE <= LIMIT_BYTES) held += TRUESIZE;
      if ((i & 31) === 31) held = 0;
    }
    return held;
  };
}
