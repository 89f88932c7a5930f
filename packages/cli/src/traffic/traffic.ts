import type { ModuleContext, SoftnetModule, Timer } from '@softnet/contract';
import { Module, optional } from '@softnet/contract';
import { Talk } from '@softnet/testkit';
import type { ClientHome } from './echo-client.ts';
import { EchoClient } from './echo-client.ts';
import { EchoServer } from './echo-server.ts';

const ECHO_PORT = 7;
const SERVE_EVERY_US = 100_000;

/**
 * Programs that talk: an echo server, and clients of the one at `traffic.peer`. They use talk while it is there and
 * need it for nothing, so it can be unloaded and replaced below them.
 */
@Module({ name: 'traffic', version: '1.0.0', summary: 'echo clients and an echo server, each byte checked', requires: [optional(Talk)] })
export class Traffic implements SoftnetModule {
  #server!: EchoServer;
  #serving!: Timer;
  #home!: ClientHome;
  #clients: EchoClient[] = [];

  start(ctx: ModuleContext): void {
    const talk = ctx.port(Talk);
    const peer = ctx.sysctl.define(
      'traffic.peer',
      { type: 'int', default: 0, min: 0, max: 65534, summary: 'address of the kernel that is talked to; 0: nobody' },
      () => this.#restart(clients.value, peer.value),
    );
    const clients = ctx.sysctl.define(
      'traffic.clients',
      { type: 'int', default: 3, min: 0, max: 1000, summary: 'how many programs talk to it at once' },
      () => this.#restart(clients.value, peer.value),
    );
    const lifetime = ctx.sysctl.define('traffic.lifetime_ms', {
      ...({ type: 'int', default: 3000, min: 10, max: 3_600_000, unit: 'ms' } as const),
      summary: 'how long each of their connections is used, on average',
    });
    const counter = (name: string) => ctx.counter(name);
    this.#home = {
      ...{ talk, clock: ctx.clock, random: ctx.random, lifetimeMs: () => lifetime.value },
      server: {
        port: ECHO_PORT,
        get address() {
          return peer.value;
        },
      },
      counters: {
        ...{ opened: counter('opened'), refused: counter('refused'), completed: counter('completed'), failed: counter('failed') },
        ...{ sent: counter('bytes-sent'), checked: counter('bytes-checked'), wrong: counter('bytes-wrong') },
      },
      timer: (fire, client) => ctx.timer(fire, client, 'traffic.client'),
    };
    this.#server = new EchoServer(talk, ECHO_PORT);
    this.#serving = ctx.timer(() => this.#serve(), undefined, 'traffic.server');
    this.#serving.arm(0);
  }

  withdraw(): void {
    this.#serving.cancel();
    this.#server.close();
    for (const client of this.#clients) client.stop();
  }

  abort(): void {
    this.#serving.arm(0);
    for (const client of this.#clients) client.start();
  }

  /** Listens again where talk went and came back. */
  #serve(): void {
    this.#server.open();
    this.#serving.arm(SERVE_EVERY_US);
  }

  #restart(clients: number, peer: number): void {
    for (const client of this.#clients) client.stop();
    this.#clients = Array.from({ length: peer === 0 ? 0 : clients }, (_, index) => new EchoClient(this.#home, index));
    for (const client of this.#clients) client.start();
  }
}
