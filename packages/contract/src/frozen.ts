/** Data without behaviour: survives `structuredClone`, and means the same in another build of the module. */
export type Plain = null | boolean | number | bigint | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain };

/** An object, or a module's state, as plain data with the version of its layout: what generations hand to one another. */
export interface Frozen {
  /** Of the layout of `data`; a newer build accepts older ones. A positive integer. */
  readonly version: number;
  readonly data: Plain;
}
