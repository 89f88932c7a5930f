import type { Setting, SettingSpec } from '@softnet/contract';
import type { AnySettingValue } from './setting-text.ts';
import { settingValue } from './setting-text.ts';

/** One generation of a module, as the tree knows it: the object is its identity. */
export interface SettingsOwner {
  /** `name#generation`. */
  readonly label: string;
  /** Integer of the generation, for faults. */
  readonly owner: number;
}

/** One setting of one generation. */
export class Cell implements Setting<AnySettingValue> {
  readonly name: string;
  readonly spec: SettingSpec;
  readonly summary: string;
  readonly part: Part;
  readonly changed: ((value: AnySettingValue) => void) | undefined;
  value: AnySettingValue;
  /** Somebody chose the value: it survives a replace. */
  byHand = false;
  /** It has a value of boot that its module is to be told when it is live. */
  untold = false;

  constructor(name: string, spec: SettingSpec & { readonly summary: string }, part: Part, changed: Cell['changed']) {
    this.name = name;
    this.spec = spec;
    this.summary = spec.summary;
    this.part = part;
    this.changed = changed;
    this.value = settingValue(name, spec, spec.default);
  }
}

/** What one generation has in the tree. */
export class Part {
  readonly owner: SettingsOwner;
  /** The module's name, without the generation. */
  readonly module: string;
  readonly cells: Cell[] = [];
  state: 'staged' | 'live' | 'shut' | 'gone' = 'staged';
  /** Rank by time of commit: of two generations with one name, the later has it. */
  rank = 0;

  constructor(owner: SettingsOwner) {
    this.owner = owner;
    this.module = owner.label.replace(/#\d+$/, '');
  }
}
