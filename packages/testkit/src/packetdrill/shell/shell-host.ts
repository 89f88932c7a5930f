import { DEVICE_FEATURE, Devices, NetError, RouteTables } from '@softnet/contract';
import type { NetHost } from '../../net/net-host.ts';
import type { RouteWords } from '../../net/routing-words.ts';
import { routeOf } from '../../net/routing-words.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import type { ShellCommand } from './shell-words.ts';
import { readShell } from './shell-words.ts';

type Act = (words: readonly string[], command: ShellCommand) => void;

/** Scripts within scripts, at most so deep. */
const DEEPEST = 4;
const SETTINGS = '/proc/sys/';

/**
 * What shell lines of scripts do, done to the kernel under test: settings, addresses, routes, devices. There is no shell, so a command that is not
 * known, or asks for what there is not, is an error.
 */
export class ShellHost {
  readonly #host: NetHost;
  readonly #readFile: (path: string) => string | undefined;
  readonly #acts: Readonly<Record<string, Act>> = {
    sysctl: (words) => this.#sysctl(words),
    ip: (words) => this.#ip(words),
    tc: (words) => this.#tc(words),
    ethtool: (words) => this.#ethtool(words),
    // Counters are compared by nobody: forgetting what they were is all that it does.
    nstat: (words) => this.#only(words, ['-n'], ['-q', '-n']),
    echo: (words, { output }) => this.#echo(words, output),
    source: (words) => this.#file(words[0] ?? '', words.slice(1)),
    '.': (words) => this.#file(words[0] ?? '', words.slice(1)),
    true: () => {},
    ':': () => {},
  };
  #depth = 0;

  /** @param readFile the text of a file that is named; undefined: there is none. */
  constructor(host: NetHost, readFile: (path: string) => string | undefined) {
    this.#host = host;
    this.#readFile = readFile;
  }

  /** @throws ScriptFailure for what is not known; NetError as the kernel says it. */
  run(text: string): void {
    for (const command of readShell(text)) {
      const [name = '', ...words] = command.words;
      if (Object.hasOwn(this.#acts, name)) this.#acts[name]!(words, command);
      else if (name.includes('/')) this.#file(name, words);
      else
        throw new ScriptFailure(`there is no command '${name}'; there are ${Object.keys(this.#acts).join(', ')}, and files by their paths`);
    }
  }

  #set(name: string, value: string): void {
    this.#host.kernel.sysctl.set(name, value);
  }

  #sysctl(words: readonly string[]): void {
    const settings = words.filter((word) => !word.startsWith('-'));
    const unknown = words.find((word) => word.startsWith('-') && !['-q', '-w', '-e'].includes(word));
    if (unknown !== undefined || settings.length === 0)
      throw new ScriptFailure(`sysctl takes -q, -w and NAME=VALUE here, got '${words.join(' ')}'`);
    for (const setting of settings) {
      const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(setting) ?? [];
      if (name === undefined) throw new ScriptFailure(`sysctl takes NAME=VALUE here, got '${setting}'`);
      this.#set(name, value!);
    }
  }

  #echo(words: readonly string[], output: string | null): void {
    if (output === null) return;
    if (!output.startsWith(SETTINGS)) throw new ScriptFailure(`echo writes to files below ${SETTINGS} only, not to '${output}'`);
    this.#set(output.slice(SETTINGS.length).replaceAll('/', '.'), words.join(' '));
  }

  /** A script of settings; or a program that takes `/proc/sys/...=value`. */
  #file(path: string, words: readonly string[]): void {
    const settings = words.filter((word) => word.startsWith(SETTINGS));
    for (const setting of settings) {
      const [name = '', value = ''] = setting.slice(SETTINGS.length).split('=');
      this.#set(name.replaceAll('/', '.'), value);
    }
    if (settings.length > 0) return;
    const text = this.#readFile(path);
    if (text === undefined) throw new ScriptFailure(`there is no file '${path}'`);
    if (this.#depth >= DEEPEST) throw new ScriptFailure(`'${path}' is more than ${DEEPEST} files deep`);
    this.#depth++;
    this.run(text.replace(/^set\s.*$/gm, ''));
    this.#depth--;
  }

  #ip(all: readonly string[]): void {
    const [object = '', verb = '', ...words] = all.filter((word) => word !== '-6' && word !== '-4');
    const name = `ip ${object} ${verb}`;
    if (/^ip (?:l|link) set$/.test(name)) this.#link(words);
    else if (/^ip (?:r|ro|route) (?:add|replace|change|del|delete|append)$/.test(name)) this.#route(verb, words, all.includes('-6'));
    else if (/^ip (?:a|addr|address) (?:add|del)$/.test(name)) this.#address(verb, words);
    // This kernel keeps none between connections.
    else if (name === 'ip tcp_metrics flush') return;
    else throw new ScriptFailure(`'${name}' is not known: there are ip link set, ip route, ip addr, ip tcp_metrics flush`);
  }

  #link(given: readonly string[]): void {
    const words = given.filter((word) => word !== 'dev');
    const [device = '', ...rest] = words;
    for (let i = 0; i < rest.length; i++) {
      if (rest[i] === 'up') this.#host.up(device);
      else if (rest[i] === 'down') this.#host.down(device);
      else if (rest[i] === 'mtu') this.#host.setMtu(device, Number(rest[++i]));
      else throw new ScriptFailure(`ip link set: '${rest[i]}' is not known: there are up, down, mtu`);
    }
  }

  #route(verb: string, [prefix = '', ...words]: readonly string[], isIpv6: boolean): void {
    const route: { -readonly [name in keyof RouteWords]: RouteWords[name] } = {};
    for (let i = 0; i < words.length; i += 2) {
      const [name, value = ''] = [words[i], words[i + 1]];
      if (name === 'via') route.via = value;
      else if (name === 'dev') route.dev = value;
      else if (name === 'src') route.src = value;
      else if (name === 'mtu' && value === 'lock') throw new ScriptFailure("ip route: 'mtu lock' is not known");
      else if (name === 'mtu') route.mtu = Number(value);
      else if (name === 'metric') route.metric = Number(value);
      else throw new ScriptFailure(`ip route: '${name}' is not known: there are via, dev, src, mtu, metric`);
    }
    // No link has a next hop here: the gateway would be asked by nobody.
    if (route.dev !== undefined) delete route.via;
    const entry = routeOf(this.#host, prefix === 'default' && isIpv6 ? '::/0' : prefix, route);
    const tables = this.#host.kernel.port(RouteTables).current;
    if (verb === 'del' || verb === 'delete') tables.remove(entry);
    else if (verb === 'replace' || verb === 'change') tables.replace(entry);
    else tables.add(entry);
  }

  #address(verb: string, [prefix = '', ...words]: readonly string[]): void {
    const [word, device] = words;
    if (word !== 'dev' || device === undefined)
      throw new ScriptFailure(`ip addr ${verb} takes PREFIX dev DEVICE, got '${words.join(' ')}'`);
    if (verb === 'add') this.#host.addAddress(device, prefix);
    else this.#host.removeAddress(device, prefix);
  }

  /** Devices have a FIFO, and nothing else yet. */
  #tc(words: readonly string[]): void {
    const text = words.join(' ');
    if (/^qdisc (?:add|replace) dev \S+ root (?:pfifo|pfifo_fast|bfifo)$/.test(text)) return;
    throw new ScriptFailure(`'tc ${text}' is not known: devices have a pfifo and nothing else yet`);
  }

  /** Features that a device does not have are off already. */
  #ethtool([flag, name = '', ...pairs]: readonly string[]): void {
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

  #only(words: readonly string[], ...known: (readonly string[])[]): void {
    if (known.some((each) => each.join(' ') === words.join(' '))) return;
    throw new ScriptFailure(`'${words.join(' ')}' is not known; there is ${known.map((each) => `'${each.join(' ')}'`).join(' and ')}`);
  }
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
