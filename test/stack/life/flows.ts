import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import type { DatagramUser, NetHost, NetOptions, RoutedHosts } from '@softnet/testkit';
import { pattern, routedHosts } from '@softnet/testkit';

const { INET, INET6 } = ADDRESS_FAMILY;
/** Of servers. */
const PORTS: Readonly<Record<number, number>> = Object.freeze({ [INET]: 7, [INET6]: 8 });
/** Of datagrams, whole and cut. */
const SIZES = Object.freeze([1, 700, 1472, 4000]);

/** Where flows of a family lead: to the address of b, and to that of a. */
export interface FlowEnds {
  readonly family: number;
  readonly toB: string;
  readonly toA: string;
}

const IPV4_ENDS: FlowEnds = Object.freeze({ family: INET, toB: '10.0.2.2', toA: '10.0.1.2' });

/** Flows through a router that have begun, and are to lose nothing: sockets of both hosts, whose servers are sockets too; and pings. */
export class Flows {
  readonly hosts: RoutedHosts;
  users: DatagramUser[] = [];
  readonly #ends: readonly FlowEnds[];
  #servers: DatagramUser[] = [];
  #sent = 0;

  private constructor(hosts: RoutedHosts, ends: readonly FlowEnds[]) {
    this.hosts = hosts;
    this.#ends = ends;
  }

  static async begin(options: NetOptions = {}): Promise<Flows> {
    return await Flows.between(await routedHosts({ cable: { delayUs: 200 }, ...options }), [IPV4_ENDS]);
  }

  /** Hosts that know their ways. */
  static async between(hosts: RoutedHosts, ends: readonly FlowEnds[]): Promise<Flows> {
    const flows = new Flows(hosts, ends);
    for (const each of ends) for (const host of [hosts.a, hosts.b]) flows.#open(host, each);
    await flows.#findMtus();
    await flows.exchange();
    return flows;
  }

  #open(host: NetHost, { family, toB, toA }: FlowEnds): void {
    const [own, other] = host === this.hosts.a ? [toA, toB] : [toB, toA];
    this.#servers.push(serve(host, family, own));
    for (const name of ['one', 'two']) {
      const user = host.open({ name: `${host.kernel.name}-${name}`, family });
      user.connect(other, PORTS[family]!);
      this.users.push(user);
    }
  }

  /** A host's sockets of a family are closed. */
  close(host: NetHost, family: number): void {
    const isMeant = ({ name, sock }: DatagramUser): boolean => name.startsWith(`${host.kernel.name}-`) && sock.family === family;
    for (const each of [...this.users, ...this.#servers]) if (isMeant(each)) each.close();
    this.users = this.users.filter((each) => !isMeant(each));
    this.#servers = this.#servers.filter((each) => !isMeant(each));
  }

  /** And opened anew. */
  async reopen(host: NetHost, family: number): Promise<void> {
    this.#open(host, this.#ends.find((each) => each.family === family)!);
    await this.#findMtus();
  }

  /** What is too big for the way is lost until all know it. */
  async #findMtus(): Promise<void> {
    for (const sizeBytes of [...SIZES, ...SIZES]) {
      for (const user of this.users) user.trySend(new Uint8Array(sizeBytes));
      await this.hosts.net.pass(50);
    }
    for (const user of this.users) while (user.tryReceive() !== -ERRNO.EAGAIN);
  }

  /**
   * Each flow sends, and `act` is done in the midst of it; all comes back, each as it was.
   * @param quiet who does not ping: a ping socket is its layer's own, which would wait for it. 'all': nobody does.
   */
  async exchange(act: () => Promise<unknown> = () => Promise.resolve(), quiet: NetHost | 'all' | null = null): Promise<void> {
    const { net, a, b } = this.hosts;
    const salt = ++this.#sent;
    const dataOf = (i: number): Uint8Array => pattern(salt, i, SIZES[(salt + i) % SIZES.length]!);
    for (const [i, user] of this.users.entries()) if (user.trySend(dataOf(i)) < 0) throw new Error(`${user.name} could not send`);
    const pings = this.#ends.flatMap(({ toA, toB }) =>
      [a, b].filter((host) => quiet !== 'all' && host !== quiet).map((host) => host.ping(host === a ? toB : toA, { lenBytes: salt % 90 })),
    );
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

/** Echoes by a socket that is bound: its answers come from where they were asked. */
function serve(host: NetHost, family: number, address: string): DatagramUser {
  const server = host.open({ name: `${host.kernel.name}-server`, family });
  server.bind(address, PORTS[family]!);
  const loop = async (): Promise<void> => {
    for (;;) {
      const { data, address, port } = await server.receive();
      await server.send(data, address, port);
    }
  };
  loop().catch(() => undefined);
  return server;
}
