import type { Clock, Message, SockCommon, SockOptions } from '@softnet/contract';
import { putControl, SO, SOL } from '@softnet/contract';
import { writeTime } from './words.ts';

/** Bits of `SockOptions.ancillary`: what SOL_SOCKET tells of each packet that is received. */
export const TOLD = Object.freeze({ TIMESTAMP: 1, TIMESTAMPNS: 2, OVERFLOWS: 4, MARK: 8 } as const);

/** Linux's `SOF_TIMESTAMPING_*`, as far as they are asked for here: software's stamps of what is received, and that they are told. */
const STAMPING = Object.freeze({ RX_SOFTWARE: 0x8, SOFTWARE: 0x10 } as const);
const MICROS = 1e6;

/**
 * When a packet came, as its control message says it: SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING.
 * @param bootSeconds the date of the kernel's time zero: the kernel itself has none.
 */
export class PacketTimes {
  readonly #clock: Clock;
  readonly #bootSeconds: () => number;

  constructor(clock: Clock, bootSeconds: () => number) {
    this.#clock = clock;
    this.#bootSeconds = bootSeconds;
  }

  /** @param stampUs of the packet, a wrapping int32; 0: none, so it is now. */
  tell({ options }: SockCommon, stampUs: number, message: Message): void {
    const { ancillary, timestamping } = options!;
    const wants = STAMPING.RX_SOFTWARE | STAMPING.SOFTWARE;
    const stamps = (timestamping & wants) === wants;
    if ((ancillary & (TOLD.TIMESTAMP | TOLD.TIMESTAMPNS)) === 0 && !stamps) return;
    const cameUs = this.#timeOf(stampUs);
    const seconds = this.#bootSeconds() + Math.floor(cameUs / MICROS);
    const micros = cameUs % MICROS;
    if ((ancillary & TOLD.TIMESTAMP) !== 0) writeTime(putControl(message, SOL.SOCKET, SO.TIMESTAMP, 16), 0, seconds, micros);
    if ((ancillary & TOLD.TIMESTAMPNS) !== 0) writeTime(putControl(message, SOL.SOCKET, SO.TIMESTAMPNS, 16), 0, seconds, 1000 * micros);
    if (stamps) this.stamp(stampUs, message);
  }

  /** SCM_TIMESTAMPING: three, software's, one that is no more, and hardware's. */
  stamp(stampUs: number, message: Message): void {
    const atUs = this.#timeOf(stampUs);
    const bytes = putControl(message, SOL.SOCKET, SO.TIMESTAMPING, 48);
    bytes.fill(0);
    writeTime(bytes, 0, this.#bootSeconds() + Math.floor(atUs / MICROS), 1000 * (atUs % MICROS));
  }

  #timeOf(stampUs: number): number {
    const { nowUs } = this.#clock;
    return stampUs === 0 ? nowUs : nowUs - (((nowUs | 0) - stampUs) | 0);
  }
}

/** One form at a time, as in Linux: the other goes. */
export function tellTime(options: SockOptions, bit: number, on: boolean): void {
  options.ancillary &= ~(TOLD.TIMESTAMP | TOLD.TIMESTAMPNS);
  if (on) options.ancillary |= bit;
}
