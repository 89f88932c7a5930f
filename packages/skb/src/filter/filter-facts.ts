/** What a filter may ask of its kernel: what stands in no packet. Allocates nothing. */
export interface FilterFacts {
  /** 32 bits by chance: SKF_AD_RANDOM. */
  random(): number;
  /** Of an interface, one of `LINK_TYPE`; 0: there is none such. SKF_AD_HATYPE. */
  hardwareType(ifindex: number): number;
}

/** Of no kernel: tools, and tests. */
export const NO_FACTS: FilterFacts = Object.freeze({ random: () => 0, hardwareType: () => 0 });
