import type { Skb } from '@softnet/contract';
import type { Ledger } from './ledger.ts';
import { fault } from './ledger.ts';

// Called in debug builds only.

/** What a pool of ours says of a packet beyond the contract. */
interface Watched {
  readonly ledger?: Ledger | null;
  isShared?(skb: Skb): boolean;
}

export function ledgerOf(skb: Skb): Ledger | null {
  return (skb.memory.pool as Watched).ledger ?? null;
}

/** `push`, `put`: nobody else sees the head, and there is room. */
export function checkGrow(skb: Skb, what: string, lenBytes: number, roomBytes: number): void {
  checkCount(skb, what, lenBytes);
  if (lenBytes > roomBytes) throw fault(`${what} of ${lenBytes} bytes, but there is room for ${roomBytes}: makeRoom first. ${state(skb)}`);
  if ((skb.memory.pool as Watched).isShared?.(skb) === true) {
    throw fault(`${what} writes to a head that a clone shares: makeRoom first. ${state(skb)}`);
  }
}

/** `pull`: the bytes are in the head. */
export function checkPull(skb: Skb, lenBytes: number): void {
  checkCount(skb, 'pull', lenBytes);
  const lies = skb.tail - skb.data;
  if (lenBytes > lies) throw fault(`pull of ${lenBytes} bytes, but ${lies} are in the head: gather first. ${state(skb)}`);
}

/** `reserve`: only of an empty packet. */
export function checkReserve(skb: Skb, lenBytes: number): void {
  checkCount(skb, 'reserve', lenBytes);
  if (skb.len !== 0) throw fault(`reserve in a packet that has bytes already. ${state(skb)}`);
  if (lenBytes > skb.end - skb.tail) throw fault(`reserve of ${lenBytes} bytes, but there are ${skb.end - skb.tail}. ${state(skb)}`);
}

/** The packet is alive, and `lenBytes` is a count. */
export function checkCount(skb: Skb, what: string, lenBytes: number): void {
  if (skb.head < 0) throw fault(`${what} on a packet that is freed (${ledgerOf(skb)?.whenFreed(skb)})`);
  if (!Number.isInteger(lenBytes) || lenBytes < 0) throw fault(`${what} of ${lenBytes} bytes: a count is a whole number, 0 or more`);
}

function state({ head, data, tail, end, len }: Skb): string {
  return `The packet: headroom ${data - head}, in the head ${tail - data}, in fragments ${len - (tail - data)}, tailroom ${end - tail}`;
}
