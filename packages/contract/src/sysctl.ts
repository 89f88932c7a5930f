/** The type, range and default of one setting. */
export type SettingSpec =
  | { readonly type: 'bool'; readonly default: boolean }
  | { readonly type: 'int'; readonly default: number; readonly min: number; readonly max: number; readonly unit?: string }
  | {
      readonly type: 'ints';
      readonly default: readonly number[];
      readonly min: number;
      readonly max: number;
      readonly unit?: string;
      /** None is below the one before it: a range. */
      readonly rising?: boolean;
    }
  | { readonly type: 'enum'; readonly default: string; readonly values: readonly string[] }
  | { readonly type: 'string'; readonly default: string; readonly maxLength: number };

/** The value that a spec describes. */
export type SettingValue<S extends SettingSpec> = S extends { type: 'bool' }
  ? boolean
  : S extends { type: 'int' }
    ? number
    : S extends { type: 'ints' }
      ? readonly number[]
      : string;

/** One setting in the tree; changes take effect at once. */
export interface Setting<V> {
  /** 'net.ipv4.ip_forward': Linux's name where Linux has one. */
  readonly name: string;
  readonly spec: SettingSpec;
  /** The present value: read it at each use. */
  readonly value: V;
}

/** A module's way to bring its branch of the tree. Taken back with the module; a value set by hand survives a replace. */
export interface SysctlBranch {
  /**
   * @param changed called after each change, with the new value.
   * @throws NetError EEXIST when another module has the name, EINVAL for a bad name or default.
   */
  define<const S extends SettingSpec>(
    name: string,
    spec: S & { readonly summary: string },
    changed?: (value: SettingValue<S>) => void,
  ): Setting<SettingValue<S>>;
  /** Takes one back: what it was of, a device, has gone. Does nothing for one that is not there. */
  forget(name: string): void;
  /** As if somebody had set it by hand, for settings that move others (`ip_forward`); `changed` is called. @throws NetError EINVAL, ENOENT. */
  set(name: string, value: boolean | number | string | readonly number[]): void;
}
