import { ADDRESS_FLAG, NetError, NetworkLayer } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { formatAddress } from '@softnet/wire';
import { KernelTime } from './kernel-time.ts';

const STEP_US = 50_000;

/**
 * Resolves when no address of the kernel is tentative any more, as duplicates were looked for, whether some were found or not: after some seconds of
 * kernel time, or at once. Rejects with ETIMEDOUT.
 */
export async function addressesSettled(kernel: Kernel, limitMs = 60_000): Promise<void> {
  const time = kernel.port(KernelTime).current;
  const endUs = time.nowUs + limitMs * 1000;
  for (let one = tentativeOne(kernel); one !== undefined; one = tentativeOne(kernel)) {
    if (time.nowUs >= endUs) throw new NetError('ETIMEDOUT', `${one} is tentative still, after ${limitMs} ms`);
    await time.sleepUs(STEP_US);
  }
}

/** One whose duplicates are looked for. */
function tentativeOne(kernel: Kernel): string | undefined {
  const all = kernel.contributions(NetworkLayer).items.flatMap((layer) => [...layer.addresses]);
  const found = all.find(({ flags }) => (flags & (ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED)) === ADDRESS_FLAG.TENTATIVE);
  return found && `${formatAddress(found.family, ...found.address)} on ${found.device.name}`;
}
