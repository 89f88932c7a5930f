import type { Setting, SettingSpec, SettingValue, SysctlBranch } from '@softnet/contract';
import { ModuleFault, NetError } from '@softnet/contract';
import type { SettingsOwner } from './setting-cell.ts';
import { Cell, Part } from './setting-cell.ts';
import type { AnySettingValue } from './setting-text.ts';
import { allowedValue, checkSpec, sameValue, settingRange, settingText, settingValue } from './setting-text.ts';

export type { SettingsOwner } from './setting-cell.ts';

/** One setting, for lists. */
export interface SettingRow {
  readonly name: string;
  readonly value: AnySettingValue;
  /** The value as `sysctl` prints it. */
  readonly text: string;
  readonly spec: SettingSpec;
  readonly summary: string;
  /** `name#generation` of the module that brought it. */
  readonly module: string;
}

/** Whom the tree tells. Neither may throw. */
export interface SettingsSink {
  /** A `changed` callback threw. `place` names the setting; the value stays. */
  onFault(owner: number, error: unknown, place: string): void;
  /** A value set by hand could not be carried over to a new generation. */
  onReset(module: string, sentence: string): void;
}

/** First word in lower case, as Linux has them; later ones may be names of interfaces. */
const NAME = /^[a-z0-9_-]+(\.[A-Za-z0-9_:@-]+)+$/;
/** Shown when a name is unknown. */
const NEAR_MATCHES = 5;

/** The settings of one kernel by their names, each typed and ranged, each belonging to one generation of a module. */
export class SysctlTree {
  readonly #sink: SettingsSink;
  readonly #boot: ReadonlyMap<string, AnySettingValue>;
  readonly #parts = new Map<SettingsOwner, Part>();
  /** All cells of a name, those staged or taken over included. */
  readonly #cells = new Map<string, Cell[]>();
  #commits = 0;

  /** @param boot values by name, for settings that nobody brings yet. */
  constructor(sink: SettingsSink, boot: Readonly<Record<string, AnySettingValue>> = {}) {
    this.#sink = sink;
    this.#boot = new Map(Object.entries(boot));
  }

  /** A generation's way to define settings. They are invisible until `commit`, and from then on visible at once. */
  branch(owner: SettingsOwner): SysctlBranch {
    const part = this.#parts.get(owner) ?? new Part(owner);
    this.#parts.set(owner, part);
    return {
      define: (name, spec, changed) => this.#define(part, name, spec, changed),
      forget: (name) => this.#forget(part, name),
      set: (name, value) => this.#setOwn(part, name, value),
    };
  }

  /** @throws NetError ENOENT naming what is near. */
  get(name: string): AnySettingValue {
    return this.#visible(name).value;
  }

  /**
   * Sets the value, or what its text says; tells the module if that is a change.
   * @throws NetError ENOENT naming what is near, EINVAL naming the range, ESHUTDOWN when the module is leaving.
   */
  set(name: string, given: AnySettingValue): void {
    const cell = this.#visible(name);
    const { label } = cell.part.owner;
    if (cell.part.state === 'shut') {
      throw new NetError('ESHUTDOWN', `${name} cannot be set: its module ${label} is leaving`, { syscall: 'sysctl', module: label });
    }
    const value = settingValue(name, cell.spec, given);
    cell.byHand = true;
    this.#change(cell, value);
  }

  /** Settings whose names begin so, by name. */
  list(prefix = ''): SettingRow[] {
    const rows: SettingRow[] = [];
    for (const name of this.#visibleNames()) {
      if (!name.startsWith(prefix)) continue;
      const { value, spec, summary, part } = this.#top(name)!;
      rows.push({ name, value, text: settingText(value), spec, summary, module: part.owner.label });
    }
    return rows;
  }

  /** How many settings a generation has, visible or not. */
  countOf(owner: SettingsOwner): number {
    return this.#parts.get(owner)?.cells.length ?? 0;
  }

  /** The generation is live: its settings become visible, and take over the names of the one before. */
  commit(owner: SettingsOwner): void {
    const part = this.#parts.get(owner);
    if (part?.state !== 'staged') return;
    const before = new Map(part.cells.map((cell) => [cell, this.#top(cell.name)]));
    part.state = 'live';
    part.rank = ++this.#commits;
    for (const [cell, old] of before) {
      if (cell.untold) this.#tell(cell);
      this.#carryOver(old, cell);
    }
  }

  /** Stage 1: values can be read, and no longer set. */
  shut(owner: SettingsOwner): void {
    const part = this.#parts.get(owner);
    if (part?.state === 'live') part.state = 'shut';
  }

  /** The generation stays after all. */
  reopen(owner: SettingsOwner): void {
    const part = this.#parts.get(owner);
    if (part?.state === 'shut') part.state = 'live';
  }

  /** The generation is gone, and its settings with it; one that it took over comes back if its module still lives. */
  remove(owner: SettingsOwner): void {
    const part = this.#parts.get(owner);
    if (part === undefined) return;
    part.state = 'gone';
    this.#parts.delete(owner);
    for (const { name } of part.cells.splice(0)) this.#takeBack(part, name);
  }

  #forget(part: Part, name: string): void {
    const at = part.cells.findIndex((cell) => cell.name === name);
    if (at < 0) return;
    part.cells.splice(at, 1);
    this.#takeBack(part, name);
  }

  #takeBack(part: Part, name: string): void {
    const left = this.#cells.get(name)!.filter((cell) => cell.part !== part);
    if (left.length > 0) this.#cells.set(name, left);
    else this.#cells.delete(name);
  }

  /** Its module says so, in whatever state it is. */
  #setOwn(part: Part, name: string, given: AnySettingValue): void {
    const cell = part.cells.find((each) => each.name === name);
    if (cell === undefined) throw new NetError('ENOENT', `${part.owner.label} has no setting ${name}`, { syscall: 'sysctl' });
    const value = settingValue(name, cell.spec, given);
    cell.byHand = true;
    this.#change(cell, value);
  }

  #define<const S extends SettingSpec>(
    part: Part,
    name: string,
    spec: S & { readonly summary: string },
    changed?: (value: SettingValue<S>) => void,
  ): Setting<SettingValue<S>> {
    if (part.state === 'gone') throw new ModuleFault(part.owner.label, `defines the setting ${name} though it is gone`);
    if (!NAME.test(name)) {
      throw new NetError(
        'EINVAL',
        `'${name}' is no name for a setting: words of a-z, 0-9, _ and -, with dots between, as net.ipv4.ip_forward`,
      );
    }
    const others = this.#cells.get(name) ?? [];
    const taken = others.find((cell) => cell.part === part || cell.part.module !== part.module);
    if (taken !== undefined) {
      throw new NetError('EEXIST', `${name} is defined by ${taken.part.owner.label} already`, { module: taken.part.owner.label });
    }
    checkSpec(name, spec);
    const old = this.#top(name);
    const cell = new Cell(name, spec, part, changed as Cell['changed']);
    if (old === undefined) this.#bootValue(cell);
    part.cells.push(cell);
    this.#cells.set(name, [...others, cell]);
    if (this.#top(name) === cell) this.#carryOver(old, cell);
    return cell as Setting<unknown> as Setting<SettingValue<S>>;
  }

  /** While its module starts it just has the value; it is told when it is live, as of one that is set then. @throws NetError EINVAL. */
  #bootValue(cell: Cell): void {
    const given = this.#boot.get(cell.name);
    if (given === undefined) return;
    cell.value = settingValue(cell.name, cell.spec, given);
    cell.byHand = true;
    if (cell.part.state === 'staged') cell.untold = true;
    else this.#tell(cell);
  }

  /** A value that was set by hand in the generation before is set here too, if it may be. */
  #carryOver(old: Cell | undefined, cell: Cell): void {
    if (old === undefined || !old.byHand) return;
    const { name, spec, part } = cell;
    const value = allowedValue(spec, spec.type === old.spec.type ? old.value : settingText(old.value));
    if (value !== undefined) {
      cell.byHand = true;
      this.#change(cell, value);
      return;
    }
    const from = `${name} was set to '${settingText(old.value)}' in ${old.part.owner.label}`;
    const now = `${part.owner.label} takes ${settingRange(spec)}, so it is '${settingText(cell.value)}' now, the default`;
    this.#sink.onReset(part.owner.label, `${from}; ${now}`);
  }

  #change(cell: Cell, value: AnySettingValue): void {
    if (sameValue(cell.value, value)) return;
    cell.value = value;
    this.#tell(cell);
  }

  #tell(cell: Cell): void {
    cell.untold = false;
    try {
      cell.changed?.(cell.value);
    } catch (error) {
      this.#sink.onFault(cell.part.owner.owner, error, `sysctl ${cell.name}`);
    }
  }

  /** The cell that has the name now. */
  #top(name: string): Cell | undefined {
    let top: Cell | undefined;
    for (const cell of this.#cells.get(name) ?? []) {
      if (cell.part.state !== 'staged' && (top === undefined || cell.part.rank > top.part.rank)) top = cell;
    }
    return top;
  }

  #visible(name: string): Cell {
    const cell = this.#top(name);
    if (cell !== undefined) return cell;
    const near = this.#near(name);
    const hint = near.length > 0 ? `; there is ${near.join(', ')}` : '';
    throw new NetError('ENOENT', `there is no setting ${name}${hint}`, { syscall: 'sysctl' });
  }

  #visibleNames(): string[] {
    return [...this.#cells.keys()].filter((name) => this.#top(name) !== undefined).sort();
  }

  /** Names that begin as this one does, the longest agreement first. */
  #near(wanted: string): string[] {
    return this.#visibleNames()
      .map((name) => ({ name, agree: agreement(name, wanted) }))
      .filter(({ agree }) => wanted.slice(0, agree).includes('.'))
      .sort((a, b) => b.agree - a.agree || (a.name < b.name ? -1 : 1))
      .slice(0, NEAR_MATCHES)
      .map(({ name }) => name);
  }
}

/** How many characters two names have in common at their beginning. */
function agreement(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
