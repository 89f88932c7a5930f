import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { Cable } from '@softnet/nic-driver';
import { Captures } from '@softnet/nic-driver';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { parseIpv4 } from '@softnet/wire';
import { Area, CONVERGENCE_US } from './area.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly routers: number;
  readonly hostsEach: number;
  /** Steps of 20 ms, in each of which as many hosts send. */
  readonly steps: number;
  readonly sendersEach: number;
}

export interface SimulationResult {
  /** SHA-256 of the captures of the first links. */
  readonly captures: readonly string[];
  readonly capturedBytes: number;
  readonly sent: number;
  readonly arrived: number;
  /** Sent when no link had changed for a while, and not arrived: must be empty. */
  readonly lost: readonly string[];
  readonly twice: number;
  readonly failures: number;
  readonly loops: number;
}

const STEP_MS = 20;
/** Between a change of a link and calm: routes everywhere, neighbours asked, and what was under way has arrived. */
const CALM_STEPS: number = Math.ceil(CONVERGENCE_US / 1000 / STEP_MS) + 3;
/** A link fails, and comes back, every so many steps. */
const FAILURE_STEPS = 40;
const REPAIR_STEPS = 60;
/** The longest that a datagram may take, in calm: each hop may ask for its neighbour first. */
const LATEST_STEPS = 6;
const CAPTURED_LINKS = 3;
const PORT = 7;
const STACK = HOST_STACK.filter((source) => source !== Ipv6Module);
/** A World of hundreds of kernels: each with little packet memory. */
const SETTINGS = { 'net.core.skb_buffers': 256, 'net.core.skb_pages': 64 } as const;

interface Link {
  readonly cable: Cable;
  readonly ends: readonly [number, number];
}

interface End {
  readonly host: NetHost;
  readonly user: DatagramUser;
  readonly address: string;
}

/** Routers and hosts in one World, links that fail, and traffic all along. */
export class Simulation {
  readonly net: Net;
  readonly area = new Area();
  readonly #options: SimulationOptions;
  readonly #routers: NetHost[] = [];
  readonly #ends: End[] = [];
  readonly #links: Link[] = [];
  readonly #digests: Hash[] = [];
  readonly #random: (below: number) => number;
  /** Sent in calm, and not arrived. */
  readonly #underWay = new Map<number, { readonly step: number; readonly text: string }>();
  #capturedBytes = 0;
  #sent = 0;
  readonly #arrived = new Set<number>();
  #twice = 0;
  #failures = 0;
  #lastChange = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.net = new Net({ seed: options.seed, modules: STACK, kernel: { settings: SETTINGS } });
    let state = options.seed;
    this.#random = (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 8) % below;
    };
  }

  async run(): Promise<SimulationResult> {
    await this.#build();
    const broken: { link: number; until: number }[] = [];
    const lost: string[] = [];
    for (let step = 1; step <= this.#options.steps; step++) {
      await this.net.pass(STEP_MS);
      this.#collect();
      lost.push(...this.#late(step));
      for (let first = broken[0]; first !== undefined && first.until <= step; first = broken[0]) {
        broken.shift();
        this.#links[first.link]!.cable.mend();
        this.#changed(step);
      }
      if (step % FAILURE_STEPS === 0) this.#breakOne(step, broken);
      const isCalm = step > this.#lastChange + CALM_STEPS;
      for (let i = 0; i < this.#options.sendersEach; i++) this.#send(isCalm ? step : 0);
    }
    await this.net.pass(STEP_MS * LATEST_STEPS);
    this.#collect();
    lost.push(...this.#late(Number.POSITIVE_INFINITY));
    return this.#result(lost);
  }

  async #result(lost: readonly string[]): Promise<SimulationResult> {
    const loops = this.#routers.reduce(
      (sum, { kernel }) => sum + (kernel.dropReasons().find(({ name }) => name === 'ipv4.ttl')?.count ?? 0),
      0,
    );
    const captures = this.#digests.map((digest) => digest.digest('hex'));
    for (const { user } of this.#ends) user.close();
    const [sent, arrived, twice, failures] = [this.#sent, this.#arrived.size, this.#twice, this.#failures];
    await this.net.dispose();
    return { captures, capturedBytes: this.#capturedBytes, sent, arrived, lost, twice, failures, loops };
  }

  /** A ring, and chords by chance. */
  async #build(): Promise<void> {
    const { routers, hostsEach } = this.#options;
    for (let i = 0; i < routers; i++) {
      this.#routers.push(await this.net.router(`r${i}`));
      this.area.adjacencies.push([]);
    }
    for (let i = 0; i < routers; i++) await this.net.run(this.#routers[i]!.kernel.load(this.area.daemonOf(i)));
    for (let i = 0; i < routers; i++) await this.#link(i, (i + 1) % routers);
    for (let i = 0; i < routers / 2; i++) {
      const from = this.#random(routers);
      await this.#link(from, (from + 2 + this.#random(routers - 3)) % routers);
    }
    for (let i = 0; i < routers; i++) for (let n = 0; n < hostsEach; n++) await this.#host(i, n);
    await this.net.pass((CONVERGENCE_US / 1000) * 2);
  }

  async #link(a: number, b: number): Promise<void> {
    const number = this.#links.length;
    const net = `10.${200 + (number >> 8)}.${number & 255}`;
    const [from, to] = [this.#routers[a]!, this.#routers[b]!];
    const device = `link${number}`;
    this.area.endsUp.push(0);
    const cable = await this.net.join(
      { host: from, device, addresses: [`${net}.1/30`] },
      { host: to, device, addresses: [`${net}.2/30`] },
      { delayUs: 500 + this.#random(1000), seed: number },
    );
    const ends = [from, to].map((host) => host.device(device).ifindex);
    this.area.adjacencies[a]!.push({ to: b, link: number, ifindex: ends[0]!, gateway: parseIpv4(`${net}.2`)! });
    this.area.adjacencies[b]!.push({ to: a, link: number, ifindex: ends[1]!, gateway: parseIpv4(`${net}.1`)! });
    this.#links.push({ cable, ends: [a, b] });
    // Both ends hear of it only now that they know whose it is.
    cable.cut();
    cable.mend();
    if (number < CAPTURED_LINKS) this.#capture(from, device);
  }

  #capture(host: NetHost, device: string): void {
    const digest = createHash('sha256');
    this.#digests.push(digest);
    const write = (bytes: Uint8Array): void => {
      this.#capturedBytes += bytes.length;
      digest.update(bytes);
    };
    host.kernel.port(Captures).current.start({ device: host.device(device), write }, { name: 'simulation' });
  }

  async #host(router: number, n: number): Promise<void> {
    const host = await this.net.host(`h${router}-${n}`);
    const net = `10.${router}.${n}`;
    await this.net.join(
      { host: this.#routers[router]!, device: `host${n}`, addresses: [`${net}.1/30`] },
      { host, device: 'eth0', addresses: [`${net}.2/30`] },
    );
    host.addRoute('default', { via: `${net}.1`, dev: 'eth0' });
    const user = host.open({ family: ADDRESS_FAMILY.INET, name: host.kernel.name });
    user.bind(`${net}.2`, PORT);
    this.#ends.push({ host, user, address: `${net}.2` });
  }

  /** @param calm the step; 0: it may be lost. */
  #send(calm: number): void {
    const [from, to] = [this.#ends[this.#random(this.#ends.length)]!, this.#ends[this.#random(this.#ends.length)]!];
    const id = this.#sent++;
    const data = new Uint8Array(16 + this.#random(1200));
    new DataView(data.buffer).setUint32(0, id);
    from.user.trySend(data, to.address, PORT);
    if (calm > 0) this.#underWay.set(id, { step: calm, text: `${id}: ${from.address} to ${to.address}` });
  }

  #collect(): void {
    for (const { user } of this.#ends) {
      for (let got = user.tryReceive(); typeof got !== 'number'; got = user.tryReceive()) {
        const id = new DataView(got.data.buffer).getUint32(0);
        if (this.#arrived.has(id)) this.#twice++;
        this.#arrived.add(id);
        this.#underWay.delete(id);
      }
    }
  }

  #late(now: number): string[] {
    const late = [...this.#underWay].filter(([, { step }]) => step + LATEST_STEPS < now);
    for (const [id] of late) this.#underWay.delete(id);
    return late.map(([, { text }]) => text);
  }

  /** Not the last that joins two halves. */
  #breakOne(step: number, broken: { link: number; until: number }[]): void {
    const link = this.#random(this.#links.length);
    if (!this.area.isUp(link) || !this.area.isConnectedWithout(link)) return;
    this.#links[link]!.cable.cut();
    broken.push({ link, until: step + REPAIR_STEPS });
    this.#failures++;
    this.#changed(step);
  }

  /** What is under way now may be lost. */
  #changed(step: number): void {
    this.#lastChange = step;
    this.#underWay.clear();
  }
}
