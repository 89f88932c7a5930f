import { ADDRESS_FAMILY } from '@softnet/contract';
import { parseAddress } from '@softnet/wire';
import type { ScriptOption } from '../language/script.ts';
import { ScriptFailure } from '../system/script-failure.ts';

type IpVersion = 'ipv4' | 'ipv6' | 'ipv4-mapped-ipv6';

/** What `--` lines and the command say of a run. */
export interface ScriptConfig {
  readonly ipVersion: IpVersion;
  /** Of packets: mapped addresses are IPv4 on the wire. */
  readonly wireVersion: 4 | 6;
  /** AF_INET or AF_INET6: what `...` in `socket(...)` stands for. */
  readonly domain: number;
  readonly localIp: string;
  readonly remoteIp: string;
  readonly prefixLen: number;
  readonly mtuBytes: number;
  readonly toleranceUs: number;
  readonly bindPort: number;
  readonly connectPort: number;
  /** Several segments in the place of a longer one fail. */
  readonly strictSegments: boolean;
  readonly nonFatal: boolean;
}

const DEFAULTS: Readonly<Record<string, string>> = Object.freeze({
  ip_version: 'ipv4',
  mtu: '1500',
  tolerance_usecs: '4000',
  bind_port: '8080',
  connect_port: '8080',
  strict_segments: 'false',
});

/** Of the addresses that nobody gave: documentation's and private ones. */
const ADDRESSES = Object.freeze({
  4: { local: '192.168.0.1', remote: '192.0.2.1', prefixLen: 16 },
  6: { local: 'fd3d:a0b:17d6::1', remote: '2001:db8::1', prefixLen: 64 },
});

/** Names of all `--` lines that are known. Those of speed, verbosity and code files change nothing here. */
export const SCRIPT_OPTIONS: readonly string[] = Object.freeze([
  ...Object.keys(DEFAULTS),
  'local_ip',
  'remote_ip',
  'gateway_ip',
  'netmask_ip',
  'wire_protocol',
  'send_omit_free',
  'tcp_ts_tick_usecs',
  'ts_tick_usecs',
  'non_fatal',
  'verbose',
  'speed',
  'init_scripts',
  'define',
  'code_command',
  'code_format',
  'code_sockopt',
]);

/** @throws ScriptFailure for an option that is not known, or has a value that it does not take. */
export function readConfig(options: readonly ScriptOption[], overrides: Readonly<Record<string, string>> = {}): ScriptConfig {
  const given: Record<string, string> = { ...DEFAULTS };
  for (const { name, value } of options) {
    if (!SCRIPT_OPTIONS.includes(name))
      throw new ScriptFailure(`there is no option --${name}; there are ${SCRIPT_OPTIONS.map((each) => `--${each}`).join(', ')}`);
    given[name] = value ?? 'true';
  }
  Object.assign(given, overrides);
  const ipVersion = ipVersionOf(given.ip_version!);
  const wireVersion = ipVersion === 'ipv6' ? 6 : 4;
  const usual = ADDRESSES[wireVersion];
  return {
    ipVersion,
    wireVersion,
    domain: ipVersion === 'ipv4' ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6,
    localIp: addressOf('local_ip', given.local_ip ?? usual.local, wireVersion),
    remoteIp: addressOf('remote_ip', given.remote_ip ?? usual.remote, wireVersion),
    prefixLen: given.netmask_ip === undefined ? usual.prefixLen : prefixLenOf(given.netmask_ip),
    mtuBytes: number('mtu', given.mtu!, 68, 65535),
    toleranceUs: number('tolerance_usecs', given.tolerance_usecs!, 0, 10_000_000),
    bindPort: number('bind_port', given.bind_port!, 1, 65535),
    connectPort: number('connect_port', given.connect_port!, 1, 65535),
    strictSegments: given.strict_segments !== 'false',
    nonFatal: given.non_fatal !== undefined,
  };
}

function ipVersionOf(text: string): IpVersion {
  if (text === 'ipv4' || text === 'ipv6' || text === 'ipv4-mapped-ipv6') return text;
  throw new ScriptFailure(`--ip_version takes ipv4, ipv6 or ipv4-mapped-ipv6, got '${text}'`);
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ScriptFailure(`--${name} takes ${least} to ${most}, got '${text}'`);
}

function addressOf(name: string, text: string, version: 4 | 6): string {
  const family = parseAddress(text)?.family;
  if (family === (version === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6)) return text;
  throw new ScriptFailure(`--${name} takes an IPv${version} address, got '${text}'`);
}

/** '255.255.0.0' is 16. */
function prefixLenOf(mask: string): number {
  const word = parseAddress(mask)?.words[3] ?? 0;
  const prefixLen = Math.clz32(~word);
  if (mask !== '0.0.0.0' && (word << prefixLen || prefixLen === 0))
    throw new ScriptFailure(`--netmask_ip takes a mask like 255.255.0.0, got '${mask}'`);
  return prefixLen;
}
