import type { MemoryAccount, Skb, SockCommon } from '@softnet/contract';

/** A received packet that waits in its socket: who frees it gives its memory back. What is not to be held so long, it lets go of. It has been admitted: `account` has counted it. */
export function chargeReceived(_sock: SockCommon, _skb: Skb): void {}

/** `SockOps.released`: a packet of the socket's is freed, leaves its queue, or has left the device. */
export function released(_sock: SockCommon, _skb: Skb, _account: MemoryAccount): void {}
