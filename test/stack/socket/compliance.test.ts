import type { ErrorReport, ModuleContext, Objects, Skb, SockOps, SoftnetModule } from '@softnet/contract';
import {
  defineService,
  FlowKey,
  Module,
  optional,
  SkbPool,
  SOCK_TYPE,
  SockCommon,
  SocketDemux,
  SocketHolder,
  SocketPorts,
  SocketProtocol,
  Sockets,
} from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { put, SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';

const FAMILY = 40;
const PROTOCOL = 200;

/** Kernel time and what has come, for a program. */
interface Mailbox {
  readonly got: readonly number[];
  later(then: () => void): void;
}
const Mailbox = defineService<Mailbox>({ name: 'test-mailbox', version: '1.0.0' });

/** A protocol that uses the flow table and ports while they are there, and needs them for nothing: so `socket` can be unloaded beneath it. */
@Module({
  name: 'test-mail',
  version: '1.0.0',
  requires: [optional(SocketDemux), optional(SocketPorts)],
  provides: [SocketProtocol, SocketHolder, Mailbox],
})
class MailModule implements SoftnetModule, SockOps {
  readonly name = 'mail';
  readonly type = SOCK_TYPE.DGRAM;
  readonly calls = null;
  readonly got: number[] = [];
  #sockets!: Objects<SockCommon>;

  start(ctx: ModuleContext): void {
    this.#sockets = ctx.objects<SockCommon>('socket', {
      drain: 'wait',
      close: (sock) => {
        ctx.port(SocketDemux).current.remove(sock);
        this.#sockets.release(sock);
      },
    });
    ctx.contribute(SocketHolder, { name: 'mail', sockets: this.#sockets }, 'corridor');
    const open: SocketProtocol['open'] = (family, owner) => {
      const sock = Object.assign(new SockCommon(this), { family, protocol: PROTOCOL });
      this.#sockets.hold(sock, owner, 'mail.open');
      return sock;
    };
    ctx.contribute(SocketProtocol, { name: 'mail', family: FAMILY, type: this.type, protocol: PROTOCOL, usual: true, open }, 'door');
    const later = (then: () => void): void => ctx.timer((done: () => void) => done(), then, 'mail.later').arm(1000);
    ctx.corridor(Mailbox, { got: this.got, later });
  }

  input(sock: SockCommon, skb: Skb): void {
    this.got.push(sock.localPort);
    skb.memory.pool.release(skb);
  }
  error(_sock: SockCommon, _skb: Skb | null, _report: ErrorReport): void {}
  released(): void {}
}

/** Sockets with ports; each gets a packet, some time after the last. */
async function mailTraffic([kernel]: readonly Kernel[]): Promise<Traffic> {
  const [demux, ports, pool] = [kernel!.port(SocketDemux), kernel!.port(SocketPorts), kernel!.port(SkbPool)];
  const socks: SockCommon[] = [];
  const open = (): void => {
    const sock = kernel!.port(Sockets).current.open(FAMILY, SOCK_TYPE.DGRAM, 0, { name: `program ${socks.length}` });
    expect(ports.current.bind(sock)).toBe(0);
    demux.current.insert(sock);
    socks.push(sock);
  };
  open();
  open();
  const key = Object.assign(new FlowKey(), { protocol: PROTOCOL, local0: 1, remote0: 2, remotePort: 9 });
  return {
    exchange: async () => {
      const { got, later } = kernel!.port(Mailbox).current;
      const from = got.length;
      for (const sock of socks) {
        await new Promise<void>((resolve) => later(resolve));
        const skb = pool.current.alloc(0, 10)!;
        put(skb, 10);
        key.localPort = sock.localPort;
        if (demux.current.deliver(skb, key)) continue;
        skb.memory.pool.release(skb);
        throw new Error(`port ${sock.localPort} is not found`);
      }
      expect(got.slice(from)).toEqual(socks.map(({ localPort }) => localPort));
      return 10 * socks.length;
    },
    openAnother: async () => open(),
    trace: () => socks.map(({ localPort }) => localPort).join(),
    close: async () => {
      for (const sock of socks) {
        if (sock.holdNext === null) continue;
        demux.current.remove(sock);
        sock.holdKind!.release(sock);
      }
    },
  };
}

/** What it does not do yet, or not at all: README.md. The kit says so in these words. */
const REFUSED: Readonly<Record<string, RegExp>> = Object.freeze({
  // Flows are their sockets', and these their protocols'.
  traffic: /its objects are open, but the kernel knows of none/,
  // So none of its own is moved; that flows are found afterwards shows test/stack/udp/socket-replaced.
  'replace by hand-over': /a hand-over moved no objects, though some were open/,
});

describe('socket complies', () => {
  const checks = complianceChecks({ source: SocketModule, needs: [SkbModule, MailModule], holdsNothingUp: true, traffic: mailTraffic });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    const refused = REFUSED[_name];
    if (refused === undefined) await run();
    else await expect(run()).rejects.toThrow(refused);
  });
});
