import type { NetworkLayer, SockCommon } from '@softnet/contract';
import type { SynOptions } from '../wire/put-options.ts';

/**
 * A segment without data that belongs to no connection: RST for what is for nobody, ACK of a TIME-WAIT, SYN-ACK of a request. Kept by who sends it, and filled anew for each:
 * all of it, as nothing is put back.
 */
export class BareSegment {
  /** By which it goes. */
  layer: NetworkLayer | null = null;
  /** Our end, and the other's. */
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  localPort = 0;
  remotePort = 0;
  /** By which interface it must leave (bound, or a link-local address's scope); 0: by its route. */
  ifindex = 0;
  /** Bits of `TCP_FLAG`. */
  flags = 0;
  seq = 0;
  /** Written where `flags` have ACK. */
  ack = 0;
  /** As it stands in the header. */
  windowField = 0;
  /** The options of a SYN, timestamps among them; null: those below. */
  syn: SynOptions | null = null;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** DSCP << 2 | ECN: beside what `sock` says. */
  tos = 0;
  mark = 0;
  priority = 0;
  /** Of the flow, for `skb.hash`; 0: not known. */
  hash = 0;
  /** Whose options count (TTL, IP options, user): the listener of a request. Null: the layer's own. It does not pay for the packet. */
  sock: SockCommon | null = null;
}
