import { TCP_FLAG } from '@softnet/wire';
import type { Segment } from '../machine/segment.ts';
import { segmentLen } from '../machine/segment.ts';
import { BareSegment } from '../segment/bare-segment.ts';
import { ArrivedFlow } from './arrived-flow.ts';
import type { HandshakeHost } from './handshake-host.ts';

const { ACK, RST } = TCP_FLAG;

/** What is for nobody (CLOSED, RFC 9293 §3.10.7.1) is answered by a reset; a reset never is. */
export class Strays {
  readonly #host: HandshakeHost;
  readonly #flow: ArrivedFlow;
  readonly #bare = new BareSegment();

  constructor(host: HandshakeHost) {
    this.#host = host;
    this.#flow = new ArrivedFlow(host.layers);
  }

  arrives(segment: Segment): void {
    segment.fault = this.#host.reasons['tcp.no-port'];
    if (segment.skb !== null && this.#flow.read(segment.skb)) this.refuse(segment, this.#flow);
  }

  /** With ACK: <SEQ=SEG.ACK><CTL=RST>; without: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>. */
  refuse(segment: Segment, flow: ArrivedFlow): void {
    const { flags, seq, ack, skb } = segment;
    if ((flags & RST) !== 0 || skb === null || !flow.isBetweenTwo(skb)) return;
    const bare = this.#bare;
    flow.aim(bare);
    const hasAck = (flags & ACK) !== 0;
    bare.flags = hasAck ? RST : RST | ACK;
    bare.seq = hasAck ? ack : 0;
    bare.ack = hasAck ? 0 : (seq + segmentLen(segment)) | 0;
    bare.windowField = 0;
    this.#host.bare(bare);
  }
}
