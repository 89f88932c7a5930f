/** As much of WebAssembly as is used here: the stack is compiled without a browser's declarations. */
export interface WasmHost {
  readonly WebAssembly?: {
    readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
    readonly Module: new (code: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: object };
    validate(code: Uint8Array): boolean;
  };
}

export interface WasmMemory {
  /** A SharedArrayBuffer, if the memory is shared. */
  readonly buffer: ArrayBufferLike;
}
