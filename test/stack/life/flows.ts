import { ADDRESS_FAMILY } from '@softnet/contract';
import type { DatagramUser, NetHost, NetOptions, RoutedHosts } from '@softnet/testkit';
import { pattern, routedHosts } from '@softnet/testkit';

const { INET } = ADDRESS_FAMILY;
/** Of datagrams, whole and cut. */
const SIZES = Object.freeze([1, 700, 1472, 4000]);

/** Flows through a router that have begun, and are to lose nothing: sockets of both hosts, whose servers are sockets too; and pings. */
export class Flows {
  readonly hosts: RoutedHosts;
  readonly users: DatagramUser[] = [];
  readonly #servers: DatagramUser[] = [];
  #sent = 0;

  private constructor(hosts: RoutedHosts) {
    this.hosts = hosts;
  }

  static async begin(options: NetOptions = {}): Promise<Flows> {
    const hosts = await routedHosts({ cable: { delayUs: 200 }, ...options });
    const flows = new Flows(hosts);
    for (const host of [hosts.a, hosts.b]) flows.#servers.push(serve(host));
    for (const [host, to] of [[hosts.a, '10.0.2.2'] as const, [hosts.b, '10.0.1.2'] as const]) {
      for (const name of ['one', 'two']) {
        const user = host.open({ name: `${host.kernel.name}-${name}`, family: INET });
        user.connect(to, 7);
        flows.users.push(user);
      }
    }
    await flows.exchange();
    return flows;
  }

  /**
   * Each flow sends, and `act` is done in the midst of it; all comes back, each as it was.
   * @param quiet who does not ping: a ping socket is its layer's own, which would wait for it.
   */
  async exchange(act: () => Promise<unknown> = () => Promise.resolve(), quiet: NetHost | null = null): Promise<void> {
    const { net, a, b } = this.hosts;
    const salt = ++this.#sent;
    const dataOf = (i: number): Uint8Array => pattern(salt, i, SIZES[(salt + i) % SIZES.length]!);
    for (const [i, user] of this.users.entries()) if (user.trySend(dataOf(i)) < 0) throw new Error(`${user.name} could not send`);
    const pings = [a, b]
      .filter((host) => host !== quiet)
      .map((host) => host.ping(host === a ? '10.0.2.2' : '10.0.1.2', { lenBytes: salt % 90 }));
    await net.run(Promise.all([...pings, act()]));
    for (const [i, user] of this.users.entries()) {
      const { data } = await net.run(user.receive(), 3_000_000);
      if (Buffer.compare(data, dataOf(i)) !== 0) throw new Error(`${user.name} got something else in exchange ${salt}`);
    }
  }

  /** Owners of what holds a module of a host up, each once. */
  holders(host: NetHost, module: string): string[] {
    return [...new Set(host.kernel.holders(module).map(({ owner }) => owner))].sort();
  }

  /** Packets that are somewhere; none, at rest. */
  get packetsOut(): number {
    const { a, r, b } = this.hosts;
    return [a, r, b].reduce((sum, { kernel }) => sum + kernel.holders('skb').reduce((n, { count }) => n + count, 0), 0);
  }

  async end(): Promise<void> {
    for (const user of this.users) user.close();
    for (const server of this.#servers) server.close();
    await this.hosts.net.pass(60_000);
  }
}

/** Echoes by a socket that is bound. */
function serve(host: NetHost): DatagramUser {
  const server = host.open({ name: `${host.kernel.name}-server`, family: INET });
  server.bind('0.0.0.0', 7);
  const loop = async (): Promise<void> => {
    for (;;) {
      const { data, address, port } = await server.receive();
      await server.send(data, address, port);
    }
  };
  loop().catch(() => undefined);
  return server;
}
