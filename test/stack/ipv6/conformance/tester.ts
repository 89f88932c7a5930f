import { NeighbourTable, RouterAdvertisements } from '@softnet/contract';
import type { RouterMessage } from '@softnet/ipv6';
import type { DatagramUser } from '@softnet/testkit';
import type { ExtensionHeader, Ipv6Packet } from '@softnet/wire';
import { emitIpv6Packet, parseIpv6, parseMac } from '@softnet/wire';
import type { RawPeerOptions } from '../raw-peer.ts';
import { HOST, HOST_LINK, packetOf, RawPeer } from '../raw-peer.ts';
import { redirect, router, sendNd } from '../router-messages.ts';
import { textOf } from './frame-text.ts';

/** What happens next: something that is done or sent, or so many ms that pass. */
export type Step = number | ((tester: Tester) => unknown);

/** Frames in, and the frames that come out for them, with times. */
export interface Row {
  /** '4861 §7.2.2' */
  readonly rfc: string;
  readonly what: string;
  readonly steps: readonly Step[];
  /** 'MS TEXT': text as `textOf` writes it, ms since the last `begin`, or since the row began; 'FROM-TO TEXT' where chance has a say. */
  readonly out: readonly string[];
  /** Settings go back. */
  readonly after?: readonly Step[];
}

/** A host or router as somebody sees it who has only its cable. */
export class Tester {
  readonly peer: RawPeer;
  readonly heard: { readonly ms: number; readonly text: string }[] = [];
  #user: DatagramUser | null = null;
  #beginUs = 0;
  #count = 0;

  private constructor(peer: RawPeer) {
    this.peer = peer;
    peer.heard = (bytes, header) => this.heard.push({ ms: this.#now() / 1000, text: textOf(bytes, header) });
  }

  static async boot(options: RawPeerOptions = {}): Promise<Tester> {
    const tester = new Tester(await RawPeer.boot({ known: false, ...options }));
    tester.begin();
    return tester;
  }

  /** What was sent before is forgotten; times count from here. */
  begin(): void {
    this.heard.length = 0;
    this.#beginUs += this.#now();
  }

  /** The outcome of a row, so that it equals the row's `out` if it is as it should be. */
  async run({ steps, out, after = [] }: Pick<Row, 'steps' | 'out' | 'after'>): Promise<string[]> {
    this.begin();
    for (const step of [...steps, 0.1]) await this.#take(step);
    const seen = this.#seen(out);
    for (const step of after) await this.#take(step);
    return seen;
  }

  async #take(step: Step): Promise<void> {
    if (typeof step === 'number') await this.peer.net.pass(step);
    else await step(this);
  }

  #seen(out: readonly string[]): string[] {
    return this.heard.map(({ ms, text }, index) => {
      const wanted = out[index] ?? '';
      const [, from, to] = /^(\d+)(?:-(\d+))? /.exec(wanted) ?? [];
      const isIn = from !== undefined && Math.floor(ms) >= Number(from) && Math.floor(ms) <= Number(to ?? from);
      return isIn && text === wanted.slice(wanted.indexOf(' ') + 1) ? wanted : `${Math.floor(ms)} ${text}`;
    });
  }

  /** The host sends one byte, which counts up within a row. */
  send(to: string, byte = ++this.#count): void {
    this.#user ??= this.peer.host.open();
    void this.#user.send(Uint8Array.of(byte), to, 9).catch(() => {});
  }

  set(name: string, value: number): void {
    this.peer.host.kernel.sysctl.set(`net.ipv6.conf.eth0.${name}`, value);
  }

  #now(): number {
    return this.peer.host.kernel.clock.nowUs - this.#beginUs;
  }
}

function mac(last: string): string {
  return `02:00:00:00:00:${last}`;
}

/** How a message comes: by default from and to whom it usually does. */
export interface Way {
  readonly src?: string;
  readonly dst?: string;
  readonly hopLimit?: number;
  /** Last byte of the link address that is said; null: none is. */
  readonly link?: string | null;
  /** Extension headers. */
  readonly headers?: readonly ExtensionHeader[];
}

function macOf(link: string | null | undefined, usual: string | null): string | null {
  const last = link === undefined ? usual : link;
  return last === null ? null : mac(last);
}

/** A neighbor solicitation of a neighbour for an address, of the host by default. */
export function ns(src: string, { dst, hopLimit = 255, link }: Way = {}, target = HOST): Step {
  const linkAddress = macOf(link, src === '::' ? null : '09');
  return ({ peer }) => peer.solicit({ target, linkAddress }, { src, dst: dst ?? solicitedOf(target), hopLimit });
}

/** Its solicited-node group. */
function solicitedOf(target: string): string {
  const last = parseIpv6(target)![3];
  return `ff02::1:ff${((last >>> 16) & 0xff).toString(16).padStart(2, '0')}:${(last & 0xffff).toString(16)}`;
}

const FLAG = Object.freeze({ R: 0x80000000, S: 0x40000000, O: 0x20000000 } as const);

/** A neighbor advertisement of a neighbour for itself. @param flags of R, S and O. */
export function na(target: string, flags: string, { src = target, dst, hopLimit = 255, link }: Way = {}): Step {
  const bits = [...flags].reduce((sum, each) => sum | (FLAG[each as keyof typeof FLAG] ?? 0), 0);
  const to = dst ?? (flags.includes('S') ? HOST : 'ff02::1');
  return ({ peer }) => peer.solicit({ target, type: 136, flags: bits, linkAddress: macOf(link, '09') }, { src, dst: to, hopLimit });
}

/** An echo request, whose answer says the number. */
export function echo(src: string, number: number, dst = HOST): Step {
  return ({ peer }) => peer.icmp({ type: 128, rest: number }, { src, dst });
}

export function ra(message: Partial<RouterMessage> & { readonly link?: string | null } = {}, way: Way = {}): Step {
  const { link, ...said } = message;
  const linkAddress = macOf(link, '09');
  return ({ peer }) => sendNd(peer, router({ ...said, linkAddress: linkAddress === null ? null : parseMac(linkAddress) }), wayOf(way));
}

export function rs(src: string, { link, ...way }: Way = {}): Step {
  const payload = link === null || src === '::' ? new Uint8Array(0) : Uint8Array.of(1, 1, ...parseMac(mac(link ?? '09'))!);
  return ({ peer }) => sendNd(peer, { type: 133, payload }, { src, dst: 'ff02::2', ...way });
}

export function redirects(target: string, destination: string, { link = null, ...way }: Way = {}): Step {
  return ({ peer }) => sendNd(peer, redirect(target, destination, macOf(link, null)), { dst: HOST, ...way });
}

/** A datagram of a neighbour to somebody else, for a router. */
export function passing(src: string, dst: string, bytes = 16): Step {
  return ({ peer }) => peer.bytes(emitIpv6Packet(packetOf({ src, dst, hopLimit: 64, payload: new Uint8Array(bytes) })), dst, mac('01'));
}

export function send(to: string, byte?: number): Step {
  return (tester) => tester.send(to, byte);
}

export const begin: Step = (tester) => tester.begin();

export function set(name: string, value: number): Step {
  return (tester) => tester.set(name, value);
}

/** All neighbours are forgotten. */
export const forget: Step = ({ peer }) => peer.host.kernel.port(NeighbourTable).current.flush(peer.host.device('eth0'));

/** All neighbours, routers, prefixes and redirects are forgotten: the device was down. */
export const restart: Step = ({ peer }) => {
  peer.host.down('eth0');
  peer.host.up('eth0');
  peer.host.addAddress('eth0', `${HOST}/64`);
};

/** A message with whatever behind it. @param options hexadecimal. */
export function raw(type: number, rest: number, target: string, options: string, way: Way = {}): Step {
  const payload = new Uint8Array(16 + options.length / 2);
  for (const [i, word] of parseIpv6(target)!.entries()) new DataView(payload.buffer).setInt32(4 * i, word);
  payload.set(Buffer.from(options, 'hex'), 16);
  return ({ peer }) => peer.icmp({ type, rest, payload }, { hopLimit: 255, ...wayOf(way) });
}

export function advertise(said: Parameters<RouterAdvertisements['set']>[1]): Step {
  return ({ peer }) => peer.host.kernel.port(RouterAdvertisements).current.set(peer.host.device('eth0'), said);
}

function wayOf({ link: _, ...packet }: Way): Partial<Ipv6Packet> {
  return Object.fromEntries(Object.entries(packet).filter(([, value]) => value !== undefined));
}

export { HOST, HOST_LINK };
