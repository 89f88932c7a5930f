/** RFC 9438 §4 as it is written, in floating point: what `Cubic` is held against. */
export class CubicModel {
  cwnd: number;
  ssthresh = Number.POSITIVE_INFINITY;
  wMax: number | null = null;
  cwndPrior: number | null = null;
  epoch: { readonly startS: number; readonly k: number; readonly wMax: number } | null = null;
  estimate = 0;

  constructor(cwnd: number) {
    this.cwnd = cwnd;
  }

  ack(segments: number, nowS: number, rttS: number): void {
    for (let i = 0; i < segments; i++) this.#ackOne(nowS, rttS);
  }

  /** §4.6, §4.7. */
  loss(): void {
    const { cwnd } = this;
    this.wMax = this.wMax !== null && cwnd < this.wMax ? (cwnd * (1 + 0.7)) / 2 : cwnd;
    this.cwndPrior = cwnd;
    this.ssthresh = Math.max(2, cwnd * 0.7);
    this.cwnd = this.ssthresh;
    this.epoch = null;
  }

  /** §4.8. */
  timeout(): void {
    this.loss();
    this.wMax = null;
    this.cwnd = 1;
  }

  #ackOne(nowS: number, rttS: number): void {
    if (this.cwnd < this.ssthresh) {
      this.cwnd = Math.min(this.cwnd + 1, this.ssthresh);
      return;
    }
    this.epoch ??= this.#begin(nowS);
    const { startS, k, wMax } = this.epoch;
    const alpha = this.estimate < this.cwndPrior! ? (3 * (1 - 0.7)) / (1 + 0.7) : 1;
    this.estimate += alpha / this.cwnd;
    const curve = (s: number): number => 0.4 * (s - k) ** 3 + wMax;
    if (curve(nowS - startS) < this.estimate) {
      this.cwnd = Math.max(this.cwnd, this.estimate);
      return;
    }
    const target = Math.min(Math.max(curve(nowS - startS + rttS), this.cwnd), 1.5 * this.cwnd);
    this.cwnd += (target - this.cwnd) / this.cwnd;
  }

  #begin(nowS: number): NonNullable<CubicModel['epoch']> {
    const wMax = Math.max(this.wMax ?? this.cwnd, this.cwnd);
    this.cwndPrior ??= this.cwnd;
    this.estimate = this.cwnd;
    return { startS: nowS, k: Math.cbrt((wMax - this.cwnd) / 0.4), wMax };
  }
}
