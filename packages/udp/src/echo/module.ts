import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { Module, one, Sockets } from '@softnet/contract';
import { EchoService } from './echo-service.ts';

const RETRY_US = 1_000_000;

/** The echo service over UDP (RFC 862), as any module may talk over sockets. */
@Module({
  name: 'udp-echo',
  version: '1.0.0',
  summary: 'sends back UDP datagrams to port 7',
  requires: [one(Sockets)],
})
export class UdpEchoModule implements SoftnetModule {
  #service!: EchoService;

  start(ctx: ModuleContext): void {
    const sockets = ctx.port(Sockets);
    const port = ctx.sysctl.define('net.udp_echo.port', {
      ...{ type: 'int', default: 7, min: 1, max: 65535 },
      summary: 'where the echo service listens; counts from its next socket on',
    });
    const timer = ctx.timer(() => this.#service.openAgain(), null, 'udp-echo.retry');
    this.#service = new EchoService({
      name: ctx.name,
      sockets: () => sockets.current,
      port: () => port.value,
      echoed: ctx.counter('udp-echo.echoed'),
      retry: () => timer.arm(RETRY_US),
      calm: () => timer.cancel(),
    });
    // It serves when it is live: a start that fails after all must not leave a socket behind.
    this.#service.probe();
    timer.arm(0);
  }

  withdraw(): void {
    this.#service.stop();
  }

  /** Where it cannot have its port again, it tries until it can. */
  abort(): void {
    this.#service.resume();
  }

  stop(): void {
    this.#service.stop();
  }
}
