import type { NetDevice, Skb } from '@softnet/contract';
import { SKB_TYPE } from '@softnet/contract';
import { isGroupMac } from '@softnet/wire';
import type { RunningCapture } from '../../pcap/running-capture.ts';
import type { Onlooker } from '../onlooker-passage.ts';

/** A capture, and the module that it tells of what is collected: another one after a hand-over. */
export interface CaptureState {
  readonly capture: RunningCapture;
  readonly host: { collected(): void };
}

/** What a capturer needs of its module. */
export interface CapturerHost {
  /** Something is collected: flush soon. */
  collected(): void;
  ended(capturer: FrameCapturer): void;
}

/** Writes what passes a device as the stack above gives it and is given it. Changes nothing that anybody asks for. */
export class FrameCapturer implements Onlooker {
  readonly capture: RunningCapture;
  readonly #host: CapturerHost;
  readonly #device: NetDevice;

  constructor(host: CapturerHost, device: NetDevice, { capture, host: told }: CaptureState) {
    this.#host = host;
    this.#device = device;
    this.capture = capture;
    told.collected = () => host.collected();
  }

  see(skb: Skb, outgoing: boolean): void {
    if (this.capture.closed) return;
    skb.mac = skb.data;
    if (!outgoing) skb.type = this.#receptionOf(skb);
    this.capture.tap(skb, this.#device);
  }

  close(): void {
    this.capture.close();
    this.#host.ended(this);
  }

  leave(): void {
    this.#host.ended(this);
  }

  resume(): void {
    this.#host.collected();
  }

  /** Nobody has read the header yet; whoever does says it anew. */
  #receptionOf(skb: Skb): number {
    if (this.#device.addressLen === 0 || skb.tail - skb.data < this.#device.addressLen) return SKB_TYPE.HOST;
    return isGroupMac(skb.memory.view, skb.data) ? SKB_TYPE.MULTICAST : SKB_TYPE.HOST;
  }
}
