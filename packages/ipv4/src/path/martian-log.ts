import type { Clock, Log, NetDevice, Skb } from '@softnet/contract';
import { TokenBucket } from '@softnet/inet';
import { formatIpv4, ipv4Dst, ipv4Src } from '@softnet/wire';
import type { Ipv4Conf } from '../conf.ts';

/** Linux's `net_ratelimit`: 10 in 5 s. */
const PER_SECOND = 2;
const BURST = 10;

/** Tells of packets with impossible addresses, where `log_martians` says so (RFC 1812 §5.3.8). */
export class MartianLog {
  readonly #log: Log;
  readonly #conf: Ipv4Conf;
  readonly #bucket: TokenBucket;

  constructor(log: Log, clock: Clock, conf: Ipv4Conf) {
    this.#log = log;
    this.#conf = conf;
    this.#bucket = new TokenBucket(clock);
  }

  /** @param what 'martian source'. */
  tell(skb: Skb, device: NetDevice | null, what: string): void {
    if (this.#conf.value(skb.ifindex, 'log_martians') === 0 || !this.#bucket.take(PER_SECOND, BURST)) return;
    const { memory, network } = skb;
    const source = formatIpv4(ipv4Src(memory.view, network));
    const destination = formatIpv4(ipv4Dst(memory.view, network));
    this.#log.warn(`ipv4: ${what}`, { source, destination, device: device?.name ?? '' });
  }
}
