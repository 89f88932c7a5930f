import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';

const UNSETTLED = ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED;

/** Duplicates of it are looked for (RFC 4862 §5.4). */
export function isTentative({ flags }: InterfaceAddress): boolean {
  return (flags & UNSETTLED) === ADDRESS_FLAG.TENTATIVE;
}

/** Another has it. */
export function hasFailed({ flags }: InterfaceAddress): boolean {
  return (flags & ADDRESS_FLAG.DAD_FAILED) !== 0;
}

/** Nobody else has it, as far as can be known. */
export function isSettled({ flags }: InterfaceAddress): boolean {
  return (flags & UNSETTLED) === 0;
}

/** Packets may carry it: it is settled, or an optimistic one (RFC 4429). */
export function isUsable(address: InterfaceAddress): boolean {
  return isSettled(address) || (isTentative(address) && (address.flags & ADDRESS_FLAG.OPTIMISTIC) !== 0);
}
