import type { Skb } from '@softnet/contract';
import { ICMPV4_TYPE, ipv4HeaderBytes } from '@softnet/wire';

/** Only these are answered by errors: of others, and of those cut too short to tell, it is not known whether they are errors themselves. */
const ASKS: number =
  (1 << ICMPV4_TYPE.ECHO_REPLY) | (1 << ICMPV4_TYPE.ECHO) | (1 << ICMPV4_TYPE.TIMESTAMP) | (1 << ICMPV4_TYPE.TIMESTAMP_REPLY);

/** Whether an ICMP packet is an error, or may be one (RFC 1122 §3.2.2; Linux's `icmp_send`). `skb.network` is at its IP header. */
export function isAboutError(skb: Skb): boolean {
  const { memory, network, tail, fragments } = skb;
  const at = network + ipv4HeaderBytes(memory.view, network);
  let type = -1;
  if (at < tail) type = memory.view.getUint8(at);
  else if (fragments !== null) type = fragments.memory.view.getUint8(fragments.offset);
  return type < 0 || type > 31 || ((1 << type) & ASKS) === 0;
}
