import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, Module, optional, Sockets } from '@softnet/contract';
import type { EchoCounters, EchoHome } from './echo-client.ts';
import { EchoClient } from './echo-client.ts';
import type { EchoStyle } from './echo-style.ts';
import { ECHO_STYLES } from './echo-style.ts';

/**
 * Programs that use the network: they ping the host at `traffic.peer4` and `traffic.peer6`, and have its udp-echo send datagrams back.
 * They use sockets while they are let in and need no module for anything, so that any can be unloaded and replaced below them.
 */
@Module({
  name: 'traffic',
  version: '1.0.0',
  summary: 'programs that ping and exchange datagrams, over both families, each byte checked',
  requires: [optional(Sockets)],
})
export class Traffic implements SoftnetModule {
  #home!: EchoHome;
  #counters = new Map<string, EchoCounters>();
  #clients: EchoClient[] = [];
  #running = true;

  start(ctx: ModuleContext): void {
    const again = (): void => this.#restart(perStyle.value, { [ADDRESS_FAMILY.INET]: peer4.value, [ADDRESS_FAMILY.INET6]: peer6.value });
    const peer = { type: 'string', default: '', maxLength: 45 } as const;
    const peer4 = ctx.sysctl.define(
      'traffic.peer4',
      { ...peer, summary: 'IPv4 address of the host that is talked to; empty: nobody' },
      again,
    );
    const peer6 = ctx.sysctl.define('traffic.peer6', { ...peer, summary: 'its IPv6 address; empty: nobody' }, again);
    const perStyle = ctx.sysctl.define(
      'traffic.clients',
      { type: 'int', default: 2, min: 0, max: 1000, summary: 'how many programs of each sort talk to it at once' },
      again,
    );
    const ms = { type: 'int', min: 0, max: 3_600_000, unit: 'ms' } as const;
    const lifetime = ctx.sysctl.define('traffic.lifetime_ms', {
      ...ms,
      min: 10,
      default: 3000,
      summary: 'how long each uses a socket, on average',
    });
    const linger = ctx.sysctl.define('traffic.linger_ms', {
      ...ms,
      default: 1000,
      summary: 'how long it uses one on that it is asked to let go',
    });
    const interval = ctx.sysctl.define('traffic.interval_ms', { ...ms, min: 1, default: 50, summary: 'from one datagram to the next' });
    for (const { label } of ECHO_STYLES) this.#counters.set(label, countersOf(ctx, label));
    this.#home = {
      ...{ sockets: ctx.port(Sockets), clock: ctx.clock, random: ctx.random, current: ctx.current },
      ...{ lifetimeMs: () => lifetime.value, lingerMs: () => linger.value, intervalMs: () => interval.value },
      timer: (fire, client) => ctx.timer(fire, client, 'traffic.client'),
    };
    again();
  }

  withdraw(): void {
    this.#running = false;
    for (const client of this.#clients) client.stop();
  }

  abort(): void {
    this.#running = true;
    for (const client of this.#clients) client.start();
  }

  #restart(perStyle: number, peers: Readonly<Record<number, string>>): void {
    for (const client of this.#clients) client.stop();
    const used = ECHO_STYLES.filter(({ family }) => (peers[family] ?? '') !== '');
    this.#clients = used.flatMap((style) =>
      Array.from({ length: perStyle }, (_, index) => this.#client(style, peers[style.family]!, index)),
    );
    if (this.#running) for (const client of this.#clients) client.start();
  }

  #client(style: EchoStyle, address: string, index: number): EchoClient {
    return new EchoClient(this.#home, style, this.#counters.get(style.label)!, address, index);
  }
}

function countersOf(ctx: ModuleContext, label: string): EchoCounters {
  const counter = (name: string) => ctx.counter(`${label}.${name}`);
  return {
    ...{ sent: counter('sent'), answered: counter('answered'), lost: counter('lost'), late: counter('late') },
    ...{ wrong: counter('wrong'), refused: counter('refused'), failed: counter('failed') },
  };
}
