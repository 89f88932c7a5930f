import type { SysctlBranch } from '@softnet/contract';
import type { Ipv6Limits, Ipv6OptionLimits } from '@softnet/wire';
import { IPV6_LIMITS } from '@softnet/wire';

/** Of one kind of options header. */
export class OptionLimits implements Ipv6OptionLimits {
  headerBytes: number = IPV6_LIMITS.hopByHop.headerBytes;
  options: number = IPV6_LIMITS.hopByHop.options;
  paddingBytes: number = IPV6_LIMITS.hopByHop.paddingBytes;
  /** An option that is not known drops its packet, whatever its type says: Linux's numbers below 0. */
  knownOnly = false;
}

/** How much of extension headers this host bears (RFC 8504 §5.3), as its settings say at the moment. */
export class HeaderLimits implements Ipv6Limits {
  headers: number = IPV6_LIMITS.headers;
  readonly hopByHop: OptionLimits = new OptionLimits();
  readonly destinationOptions: OptionLimits = new OptionLimits();
}

const INT_MAX = 0x7fffffff;
const MOST_OPTIONS = 2048;

/** Names and defaults are Linux's, but for the two that it has not. @throws NetError EEXIST. */
export function defineLimits(sysctl: SysctlBranch): HeaderLimits {
  const limits = new HeaderLimits();
  const { hopByHop, destinationOptions } = limits;
  const int = (name: string, value: number, min: number, max: number, summary: string, changed: (value: number) => void) =>
    sysctl.define(`net.ipv6.${name}`, { type: 'int', default: value, min, max, summary }, changed);
  const number = (name: string, of: OptionLimits) =>
    int(name, of.options, -MOST_OPTIONS, MOST_OPTIONS, 'options, at most; below 0: as many, and only those that are known', (value) => {
      of.options = Math.abs(value);
      of.knownOnly = value < 0;
    });
  const length = (name: string, of: OptionLimits) =>
    int(name, INT_MAX, 0, INT_MAX, 'bytes of the header, at most', (value) => {
      of.headerBytes = value;
    });
  number('max_hbh_opts_number', hopByHop);
  number('max_dst_opts_number', destinationOptions);
  length('max_hbh_length', hopByHop);
  length('max_dst_opts_length', destinationOptions);
  int('max_extension_headers', limits.headers, 0, 255, 'extension headers of a packet, at most (RFC 8504 §5.3)', (value) => {
    limits.headers = value;
  });
  int('max_opts_padding', hopByHop.paddingBytes, 0, MOST_OPTIONS, 'bytes of padding in a row, at most (RFC 8504 §5.3)', (value) => {
    hopByHop.paddingBytes = value;
    destinationOptions.paddingBytes = value;
  });
  return limits;
}
