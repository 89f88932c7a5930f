import type { Skb } from '@softnet/contract';
import { tcpHeaderBytes } from '@softnet/wire';

/** The headers of a SYN, from the network header on: what TCP_SAVED_SYN gives. */
export function savedSyn({ memory, network, transport }: Skb): Uint8Array {
  const { view } = memory;
  const end = transport + tcpHeaderBytes(view, transport);
  return new Uint8Array(view.buffer, view.byteOffset + network, end - network).slice();
}
