/** One number made from every packet that went over a wire, in order, and its time: equal runs have equal traces. */
export class WireTrace {
  value = 0;

  add(bytes: Uint8Array, nowUs: number): void {
    let hash = Math.imul(this.value ^ (nowUs | 0), 0x01000193);
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    this.value = hash | 0;
  }
}
