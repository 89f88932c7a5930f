import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { CubicModule, RenoModule } from '@softnet/congestion';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { FaultModule } from '@softnet/nic-driver';
import type { NodeFaces } from '@softnet/node';
import { createNode } from '@softnet/node';
import { Posix } from '@softnet/posix';
import { TcpModule } from '@softnet/tcp';
import { QUIET_HOST } from '@softnet/testkit';
import { Netns } from './netns.ts';
import { TapHost } from './tap-host.ts';
import { until } from './until.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
export const FAMILIES = [INET, INET6] as const;

/** 'plain': frames are finished before they cross. 'offload': sums and cuts are left to the other side. */
export const LINKS = ['plain', 'offload'] as const;
export type LinkName = (typeof LINKS)[number];

/** How a {@link TcpLink} is made. */
export interface TcpLinkOptions {
  readonly links?: readonly LinkName[];
  /** What becomes of frames on all links, both ways. Default: nothing. */
  readonly faults?: object;
  readonly isCaptured?: boolean;
}

/** What a program said until its end. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** softnet with TCP, a namespace of Linux, links between them, and what a test of streams does on either side. */
export class TcpLink {
  static #made = 0;
  readonly softnet: TapHost;
  readonly linux: Netns;
  readonly node: NodeFaces;
  readonly posix: Posix;
  readonly #running = new Set<ChildProcess>();
  #nextPort = 7300;

  private constructor(softnet: TapHost, linux: Netns) {
    this.softnet = softnet;
    this.linux = linux;
    this.node = createNode(softnet.kernel);
    this.posix = new Posix(softnet.kernel, { name: 'streams with Linux' });
  }

  static async make(name: string, { links = ['plain'], faults, isCaptured = true }: TcpLinkOptions = {}): Promise<TcpLink> {
    const modules = [RenoModule, CubicModule, TcpModule, FaultModule];
    const link = new TcpLink(await TapHost.boot(name, { settings: QUIET_HOST, modules, isCaptured }), new Netns(name));
    for (const each of links) await link.#plug(each, faults);
    const pings = links.flatMap((each) => FAMILIES.map((family) => `ping -c1 -W1 ${link.ours(family, each)} > /dev/null`));
    await until(async () => `${(await link.linux.exec(pings.join(' && '))).code}`, /^0$/, 30_000);
    return link;
  }

  theirs(family: number, link: LinkName = 'plain'): string {
    return addressOf(1, family, link);
  }

  ours(family: number, link: LinkName = 'plain'): string {
    return addressOf(2, family, link);
  }

  /** One that nobody has used. */
  port(): number {
    return this.#nextPort++;
  }

  /** Runs a program in the namespace to its end. @param onSaid told what it says as it says it. */
  run(
    command: readonly (string | number)[],
    { input = '', onSaid }: { input?: string | Uint8Array; onSaid?: (text: string) => void } = {},
  ): Promise<Said> {
    const child = this.#spawn(command);
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (text) => {
      stdout += text;
      onSaid?.(String(text));
    });
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });
  }

  /** Runs a server in the namespace, and is done when it listens. @returns how to end it. */
  async serve(command: readonly (string | number)[], port: number): Promise<() => void> {
    const child = this.#spawn(command);
    let complaints = '';
    child.stderr!.on('data', (text) => {
      complaints += text;
    });
    child.stdout!.resume();
    await until(
      async () => `${(await this.linux.exec(`ss -Hltn sport = :${port}`)).stdout}${complaints}`,
      new RegExp(`:${port}\\s`),
      30_000,
    );
    return () => void child.kill();
  }

  async dispose(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    this.posix.exit();
    await this.softnet.kernel.shutdown();
    this.linux.dispose();
  }

  #spawn(command: readonly (string | number)[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.linux.name, ...command.map(String)]);
    this.#running.add(child);
    child.on('close', () => this.#running.delete(child));
    return child;
  }

  async #plug(name: LinkName, faults: object | undefined): Promise<void> {
    const { softnet, linux } = this;
    if (name === 'plain') await softnet.plug(name, linux);
    else {
      const ifname = `snt${process.pid % 100_000}${'abcdefgh'[TcpLink.#made++ % 8]}`;
      await softnet.addDevice('tap', name, { ifname });
      execFileSync('ip', ['link', 'set', ifname, 'netns', linux.name, 'name', name]);
    }
    await linux.exec(`sysctl -qw net.ipv6.conf.${name}.accept_dad=0 net.ipv6.conf.${name}.router_solicitations=0`);
    const top = faults === undefined ? name : `${name}-bad`;
    if (faults !== undefined) await softnet.addDevice('fault', top, { link: name, ...faults });
    for (const family of FAMILIES) {
      const lenBits = family === INET ? 24 : 64;
      await linux.exec(`ip addr add ${this.theirs(family, name)}/${lenBits} dev ${name} ${family === INET6 ? 'nodad' : ''}`);
      softnet.addAddress(top, `${this.ours(family, name)}/${lenBits}`);
    }
    await linux.exec(`ip link set ${name} up`);
    if (top !== name) softnet.up(name);
    softnet.up(top);
  }
}

function addressOf(host: number, family: number, link: LinkName): string {
  const net = LINKS.indexOf(link) + 1;
  return family === INET ? `10.81.${net}.${host}` : `fd81:${net}::${host}`;
}
