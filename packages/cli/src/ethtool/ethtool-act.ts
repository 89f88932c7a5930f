import type { Devices, Ethtool, NetDevice } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { UsageError } from '../usage-error.ts';

/** What was asked of `ethtool`, behind the device. */
export interface EthtoolRequest {
  readonly kernel: Kernel;
  readonly device: NetDevice;
  readonly words: readonly string[];
  /** What sets, each time anew: a module may have gone. */
  readonly ethtool: Ethtool;
  readonly devices: Devices;
  print(line: string): void;
}

/** One of the things that `ethtool` shows or sets. */
export interface EthtoolAct {
  /** '-k'. */
  readonly flag: string;
  /** For `help`. */
  readonly text: string;
  /** Words behind the device, as they are written: '[rx N] [tx N]'. Empty: none. */
  readonly usage: string;
  run(request: EthtoolRequest): void;
}

/** Pairs of a name and what it is set to: `rx 4 tx 2`. @throws UsageError for other names, those without a value, and none at all. */
export function readPairs(words: readonly string[], names: readonly string[]): ReadonlyMap<string, string> {
  if (words.length === 0) throw new UsageError(`say what to set: ${names.join(', ')}`);
  const pairs = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = [words[at]!, words[at + 1]];
    if (!names.includes(name)) throw new UsageError(`what is '${name}'? Known here: ${names.join(', ')}`);
    if (value === undefined) throw new UsageError(`'${name}' wants a value behind it`);
    if (pairs.has(name)) throw new UsageError(`'${name}' stands there twice`);
    pairs.set(name, value);
  }
  return pairs;
}

/** The number of a pair; undefined: it was not given. @throws UsageError for what is no whole number. */
export function numberOf(pairs: ReadonlyMap<string, string>, name: string): number | undefined {
  const word = pairs.get(name);
  if (word === undefined || /^\d{1,9}$/.test(word)) return word === undefined ? undefined : Number(word);
  throw new UsageError(`${name} takes a whole number, got '${word}'`);
}

/** @throws UsageError for what is neither on nor off. */
export function isOn(name: string, word: string): boolean {
  if (word === 'on' || word === 'off') return word === 'on';
  throw new UsageError(`${name} takes on or off, got '${word}'`);
}

/** What is shown takes no words. @throws UsageError */
export function noWords({ words }: EthtoolRequest): void {
  if (words.length > 0) throw new UsageError(`what is '${words[0]}'? Nothing stands behind the device here`);
}
