import type { Clock, NetDevice, Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { vlanId, vlanPriority } from '@softnet/wire';
import type { Onlooker } from '../onlooker-passage.ts';
import { summarise } from './summarise.ts';
import type { TraceLog } from './trace-log.ts';

/** What of a frame is looked at: link, IP and transport headers, options among them. */
const LOOKED_AT_BYTES = 256;

/** What a tracer needs of its module. */
export interface TracerHost {
  readonly clock: Clock;
  /** A line waits: flush soon. */
  told(): void;
  ended(tracer: Tracer): void;
}

/** Says each frame that passes a device in one line. It makes text of each: tracing allocates. */
export class Tracer implements Onlooker {
  readonly log: TraceLog;
  readonly #host: TracerHost;
  readonly #device: NetDevice;
  readonly #reader = new SkbReader();
  readonly #bytes = new DataView(new ArrayBuffer(LOOKED_AT_BYTES));

  constructor(host: TracerHost, device: NetDevice, log: TraceLog) {
    this.#host = host;
    this.#device = device;
    this.log = log;
  }

  see(skb: Skb, outgoing: boolean): void {
    if (!this.log.admits()) return;
    const heldBytes = Math.min(skb.len, LOOKED_AT_BYTES);
    if (this.#reader.open(skb, 0, heldBytes)) this.#reader.copyTo(this.#bytes, 0, heldBytes);
    // A tag that was taken off, or that the device below is to put on.
    const tag = skb.vlan === 0 ? '' : `vlan ${vlanId(skb.vlan)}, p ${vlanPriority(skb.vlan)}, `;
    const frame = summarise(this.#bytes, 0, heldBytes, skb.len, this.#device.link.headerBytes > 0);
    const burst = skb.gsoSize > 0 ? ` (${skb.gsoSegs} of ${skb.gsoSize})` : '';
    this.log.add(`${this.#time()} ${this.#device.name} ${outgoing ? 'Out' : 'In '} ${tag}${frame}${burst}`);
    this.#host.told();
  }

  close(): void {
    this.log.flush();
    this.#host.ended(this);
  }

  leave(): void {
    this.#host.ended(this);
  }

  resume(): void {
    this.#host.told();
  }

  /** Seconds of kernel time, to the µs. */
  #time(): string {
    const us = this.#host.clock.nowUs;
    return `${Math.floor(us / 1_000_000)}.${String(us % 1_000_000).padStart(6, '0')}`;
  }
}
