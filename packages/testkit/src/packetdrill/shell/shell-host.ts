import { DEVICE_FEATURE, Devices, NetError } from '@softnet/contract';
import type { NetHost } from '../../net/net-host.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { ipCommand } from './ip-command.ts';
import type { ShellCall, ShellCommand, ShellSystem } from './shell.ts';
import { Shell } from './shell.ts';

const SETTINGS = '/proc/sys/';
const RESTORE = /^\/tmp\/sysctl_restore_\w*\.sh$/;

/** What the suites' `defaults.sh` does, where a script names it and it is not there: buffers of their size, and the rest as it is anyway. */
const USUAL_SETTINGS: readonly (readonly [string, string])[] = Object.freeze([
  ['net.ipv4.tcp_rmem', '4096 540000 15728640'],
  ['net.ipv4.tcp_wmem', '4096 262144 4194304'],
  ['net.ipv4.tcp_timestamps', '1'],
  ['net.ipv4.tcp_sack', '1'],
  ['net.ipv4.tcp_window_scaling', '1'],
  ['net.ipv4.tcp_syncookies', '1'],
]);

/**
 * What shell lines of scripts do, done to the kernel under test: settings, addresses, routes, devices. There are no programs, so a command that is not
 * known, or asks for what there is not, is an error.
 */
export class ShellHost implements ShellSystem {
  readonly #host: NetHost;
  readonly #readFile: (path: string) => string | undefined;
  readonly #shell = new Shell(this);
  /** Before `set_sysctls.py` changed them. */
  readonly #before = new Map<string, string>();
  readonly #commands: Readonly<Record<string, ShellCommand>> = Object.freeze({
    sysctl: ({ words }) => this.#sysctl(words),
    ip: ({ words }) => ipCommand(this.#host, words),
    tc: ({ words }) => disciplines(words),
    ethtool: ({ words }) => this.#ethtool(words),
    nstat: ({ words }) => nstat(words),
    cat: ({ words, input }) => (words.length === 0 ? input : words.map((path) => this.read(path)).join('')),
    source: (call) => this.#file(call.words[0] ?? '', { ...call, words: call.words.slice(1) }),
    '.': (call) => this.#file(call.words[0] ?? '', { ...call, words: call.words.slice(1) }),
    sh: (call) => this.#file(call.words[0] ?? '', { ...call, words: call.words.slice(1) }),
    bash: (call) => this.#file(call.words[0] ?? '', { ...call, words: call.words.slice(1) }),
  });

  /** @param readFile the text of a file that is named; undefined: there is none. */
  constructor(host: NetHost, readFile: (path: string) => string | undefined) {
    this.#host = host;
    this.#readFile = readFile;
  }

  /** @throws ScriptFailure for what is not known; NetError as the kernel says it. */
  run(text: string): void {
    this.#shell.run(text);
  }

  command(name: string): ShellCommand | null {
    if (Object.hasOwn(this.#commands, name)) return this.#commands[name]!;
    if (name.includes('/')) return (call) => this.#file(name, call);
    throw new ScriptFailure(`there is no command '${name}'; there are ${Object.keys(this.#commands).join(', ')}, and files by their paths`);
  }

  read(path: string): string {
    if (path === '/dev/null') return '';
    if (path.startsWith(SETTINGS)) return `${this.#get(settingOf(path))}\n`;
    const text = this.#readFile(path);
    if (text === undefined) throw new ScriptFailure(`there is no file '${path}'`);
    return text;
  }

  write(path: string, text: string): void {
    if (path === '/dev/null' || path === '/dev/stderr' || path === '/dev/stdout') return;
    if (!path.startsWith(SETTINGS)) throw new ScriptFailure(`what is written goes to files below ${SETTINGS} only, not to '${path}'`);
    this.#set(settingOf(path), text.trim());
  }

  #set(name: string, value: string): void {
    this.#host.kernel.sysctl.set(name, value);
  }

  #get(name: string): string {
    return String(this.#host.kernel.sysctl.get(name)).replaceAll(',', '\t');
  }

  #sysctl(words: readonly string[]): string {
    const settings = words.filter((word) => !word.startsWith('-'));
    const flags = words.filter((word) => word.startsWith('-'));
    const unknown = flags.find((word) => !/^-[qwen]+$/.test(word));
    if (unknown !== undefined || settings.length === 0)
      throw new ScriptFailure(`sysctl takes -q, -w, -n and NAME=VALUE here, got '${words.join(' ')}'`);
    const isBare = flags.some((flag) => flag.includes('n'));
    return settings.map((setting) => this.#setting(setting, isBare)).join('');
  }

  /** `name=value` sets it; `name` tells it. */
  #setting(setting: string, isBare: boolean): string {
    const [, name, value] = /^([^=]+?)\s*=\s*([\s\S]*)$/.exec(setting) ?? [];
    const dotted = (name ?? setting).replaceAll('/', '.');
    if (value !== undefined) this.#set(dotted, value);
    return isBare ? `${this.#get(dotted)}\n` : `${dotted} = ${this.#get(dotted)}\n`;
  }

  /** A script of settings; or a program that takes `/proc/sys/...=value`; or one that is known by its name. */
  #file(path: string, { words, shell }: ShellCall): { output: string; status: number } {
    const settings = words.filter((word) => word.startsWith(SETTINGS));
    for (const setting of settings) {
      const [file = '', value = ''] = setting.split('=');
      const name = settingOf(file);
      if (!this.#before.has(name)) this.#before.set(name, this.#get(name));
      this.#set(name, value);
    }
    const done = { output: '', status: 0 };
    if (settings.length > 0) return done;
    if (RESTORE.test(path)) this.#restore();
    else if (this.#readFile(path) !== undefined) return shell.source(path, words);
    else if (path.endsWith('/defaults.sh')) for (const [name, value] of USUAL_SETTINGS) this.#set(name, value);
    else throw new ScriptFailure(`there is no file '${path}'`);
    return done;
  }

  /** As the script that `set_sysctls.py` leaves behind. */
  #restore(): void {
    for (const [name, value] of this.#before) this.#set(name, value);
    this.#before.clear();
  }

  /** Features that a device does not have are off already. */
  #ethtool([flag, name = '', ...pairs]: readonly string[]): undefined {
    if (flag !== '-K') throw new ScriptFailure(`ethtool takes -K here, got '${flag ?? ''}'`);
    const device = this.#host.device(name);
    for (let i = 0; i < pairs.length; i += 2) {
      const [feature = '', state] = [pairs[i], pairs[i + 1]];
      const bits = FEATURES[feature];
      if (bits === undefined)
        throw new ScriptFailure(`ethtool -K: '${feature}' is not known: there are ${Object.keys(FEATURES).join(', ')}`);
      if (state !== 'on' && state !== 'off') throw new ScriptFailure(`ethtool -K: ${feature} is on or off, not '${state ?? ''}'`);
      if (state === 'on' && (device.hardwareFeatures & bits) !== bits) throw new NetError('EOPNOTSUPP', `${name} has no ${feature}`);
      const features = state === 'on' ? device.features | bits : device.features & ~bits;
      if (features !== device.features) this.#host.kernel.port(Devices).current.setFeatures(device, features);
    }
  }
}

/** '/proc/sys/net/ipv4/tcp_sack' is 'net.ipv4.tcp_sack'. */
function settingOf(path: string): string {
  return path.slice(SETTINGS.length).replaceAll('/', '.');
}

/** Devices have a FIFO, and nothing else yet. */
function disciplines(words: readonly string[]): undefined {
  const text = words.join(' ');
  if (/^qdisc (?:add|replace|change) dev \S+ root (?:handle \S+ )?(?:pfifo|pfifo_fast|bfifo|noqueue)\b/.test(text)) return;
  const [, discipline] = /^qdisc (?:add|replace|change) dev \S+ (?:root|parent \S+) (?:handle \S+ )?(\S+)/.exec(text) ?? [];
  const which = discipline === undefined ? '' : `: there is no discipline '${discipline}'`;
  throw new ScriptFailure(`'tc ${text}' is not known${which}; devices have a pfifo and nothing else yet`);
}

/** Forgets what counters were; what they are is told by `tcpi_*` only. */
function nstat(words: readonly string[]): undefined {
  if (words.every((word) => /^-[nqs]+$/.test(word)) && words.some((word) => word.includes('n'))) return;
  throw new ScriptFailure(`'nstat ${words.join(' ')}' is not known: there is 'nstat -n', and no counter by Linux's names`);
}

const FEATURES: Readonly<Record<string, number>> = Object.freeze({
  tso: DEVICE_FEATURE.GSO_TCPV4 | DEVICE_FEATURE.GSO_TCPV6,
  gso: DEVICE_FEATURE.GSO_TCPV4 | DEVICE_FEATURE.GSO_TCPV6 | DEVICE_FEATURE.GSO_UDP,
  gro: DEVICE_FEATURE.GRO,
  lro: DEVICE_FEATURE.RX_GSO,
  tx: DEVICE_FEATURE.TX_CHECKSUM,
  rx: DEVICE_FEATURE.RX_CHECKSUM,
  sg: DEVICE_FEATURE.SCATTER,
});
