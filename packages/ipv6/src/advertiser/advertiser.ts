import type {
  AddressWords,
  Clock,
  NetDevice,
  Objects,
  Owner,
  RouterAdvertisement,
  RouterAdvertisements,
  Skb,
  Timer,
} from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FLAG, NEIGHBOUR_UPDATE, NetError } from '@softnet/contract';
import { formatIpv6, ICMP_HEADER_BYTES, IPV6_SRC, icmpRest, readAddress } from '@softnet/wire';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import { ALL_NODES, isSame, isUnspecified } from '../machine/address-kind.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import type { NdSender } from '../router/nd-sender.ts';
import { linkLocalOf } from '../router/nd-sender.ts';
import type { NdMessage } from '../wire/neighbour-message.ts';
import { emitRouter, readRouter } from '../wire/router-value.ts';
import { AdvertisedLink } from './advertised-link.ts';
import { checkAdvertisement, farewellOf, intervalOf, messageOf } from './advertisement-value.ts';
import { differenceOf } from './router-difference.ts';

/** RFC 4861 §10. */
const FAREWELLS = 3;
const FAREWELL_INTERVAL_US = 3_000_000;
/** So many are answered one by one. */
const MAX_ASKERS = 32;
/** The log hears of routers that differ so often. */
const WARN_INTERVAL_US = 60_000_000;

/** What the router's side of router discovery needs. */
export interface AdvertiserHost {
  readonly around: Surroundings;
  readonly clock: Clock;
  readonly objects: Objects<AdvertisedLink>;
  readonly owner: Owner;
  readonly sender: NdSender;
  readonly linkOf: (ifindex: number) => Ipv6Link | null;
  readonly fraction: () => number;
  readonly warn: (message: string) => void;
}

/** This host as a router that tells of itself (RFC 4861 §6.2, RFC 4191, RFC 8106). */
export class Advertiser implements RouterAdvertisements, LinkListener {
  /** Set once: fires {@link fire}. */
  timer!: Timer;
  readonly #host: AdvertiserHost;
  /** By ifindex. */
  readonly #links = new Map<number, AdvertisedLink>();

  constructor(host: AdvertiserHost) {
    this.#host = host;
  }

  // RouterAdvertisements.

  set(device: NetDevice, advertisement: RouterAdvertisement | null): void {
    if (device.ifindex === 0) throw new NetError('ENODEV', `${device.name || 'it'} is not registered`, { syscall: 'radv' });
    const known = this.#links.get(device.ifindex);
    if (advertisement === null) {
      if (known !== undefined) this.#unset(known);
      return;
    }
    if ((device.flags & DEVICE_FLAG.LOOPBACK) !== 0 || (device.flags & DEVICE_FLAG.MULTICAST) === 0) {
      throw new NetError('EOPNOTSUPP', `${device.name} has no groups, so nobody there could hear of routers`, { syscall: 'radv' });
    }
    checkAdvertisement(advertisement, device);
    const { objects, owner, fraction } = this.#host;
    const link = known ?? new AdvertisedLink(device, advertisement, fraction);
    if (known === undefined) objects.hold(link, owner, 'ipv6.advertise');
    this.#links.set(device.ifindex, link);
    link.said = advertisement;
    link.isOver = false;
    link.isSpeaking = false;
    this.#look(link);
  }

  of(device: NetDevice): RouterAdvertisement | null {
    const link = this.#links.get(device.ifindex);
    return link === undefined || link.isOver ? null : link.said;
  }

  // LinkListener.

  linkChanged({ device }: Ipv6Link, event: number): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined) return;
    if (event === LINK_EVENT.READY || event === LINK_EVENT.FORWARDING) this.#look(link);
    else if (event === LINK_EVENT.DOWN) this.goingDown(device);
    else if (event === LINK_EVENT.END) this.end(link);
  }

  /** It can still send. */
  goingDown({ ifindex }: NetDevice): void {
    const link = this.#links.get(ifindex);
    if (link === undefined) return;
    this.#silence(link, 1);
    link.farewells = 0;
    link.farewellUs = Number.POSITIVE_INFINITY;
    if (link.isOver) this.end(link);
    else this.#arm();
  }

  // Received messages.

  /** RFC 4861 §6.2.6. */
  solicited(skb: Skb, { device }: Ipv6Link, { sourceLinkAddress }: NdMessage): Ipv6Reason | null {
    const link = this.#links.get(device.ifindex);
    if (link === undefined || !link.isSpeaking) return 'nd.no-router';
    const source = readAddress(skb.memory.view, skb.network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    this.#learn(device, source, skb.memory.bytes, sourceLinkAddress);
    const { nowUs } = this.#host.clock;
    if (!link.schedule.solicited(nowUs)) this.#answerAlone(link, source, nowUs);
    this.#arm();
    return null;
  }

  /** What another router says is compared (RFC 4861 §6.2.7). */
  advertised(skb: Skb, { device, addresses }: Ipv6Link): void {
    const link = this.#links.get(device.ifindex);
    const { nowUs } = this.#host.clock;
    if (link === undefined || !link.isSpeaking || nowUs - link.warnedUs < WARN_INTERVAL_US) return;
    const { memory, transport, tail } = skb;
    const rest = icmpRest(memory.view, transport);
    const theirs = readRouter(memory.view, transport + ICMP_HEADER_BYTES, tail, rest, device.addressLen);
    const difference = theirs === null ? null : differenceOf(messageOf(link.said, device, addresses), theirs);
    if (difference === null) return;
    link.warnedUs = nowUs;
    const from = readAddress(memory.view, skb.network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    this.#host.warn(`the router ${formatIpv6(...from)} on ${device.name} says ${difference}`);
  }

  // Life.

  /** What was due is sent. */
  fire(): void {
    const { nowUs } = this.#host.clock;
    for (const link of [...this.#links.values()]) {
      if (link.schedule.nextUs <= nowUs) this.#tellAll(link, nowUs);
      for (const { address, dueUs } of link.askers) if (dueUs <= nowUs) this.#send(link, address, false);
      link.askers = link.askers.filter(({ dueUs }) => dueUs > nowUs);
      if (link.farewellUs <= nowUs) this.#farewell(link, nowUs);
    }
    this.#arm();
  }

  /** Stage 1: nobody new is to come by this router. */
  park(link: AdvertisedLink): void {
    link.isParked = true;
    this.#look(link);
  }

  resume(link: AdvertisedLink): void {
    link.isParked = false;
    this.#look(link);
  }

  /** Another generation's is this one's now, and nobody on the link need know. */
  settle(link: AdvertisedLink): void {
    this.#links.set(link.device.ifindex, link);
    if (this.#maySpeak(link) !== link.isSpeaking) this.#look(link);
    this.#arm();
  }

  /** The next generation has it. */
  left(link: AdvertisedLink): void {
    this.#links.delete(link.device.ifindex);
    this.#arm();
  }

  /** It is over, without a word more. */
  end(link: AdvertisedLink): void {
    this.#links.delete(link.device.ifindex);
    if (link.holdNext !== null) this.#host.objects.release(link);
    this.#arm();
  }

  /** Begins or ends to speak, as the link is. */
  #look(link: AdvertisedLink): void {
    const may = this.#maySpeak(link);
    if (may && !link.isSpeaking) {
      link.isSpeaking = true;
      link.farewells = 0;
      link.farewellUs = Number.POSITIVE_INFINITY;
      link.schedule.begin(this.#host.clock.nowUs);
    } else if (!may) this.#silence(link, link.isParked ? 1 : FAREWELLS);
    this.#arm();
  }

  #maySpeak({ device, isOver, isParked }: AdvertisedLink): boolean {
    const isReady = this.#host.linkOf(device.ifindex)?.isReady ?? false;
    return isReady && !isOver && !isParked && this.#host.around.conf.value(device.ifindex, 'forwarding') !== 0;
  }

  #unset(link: AdvertisedLink): void {
    link.isOver = true;
    this.#silence(link, FAREWELLS);
    if (link.farewells === 0) this.end(link);
    this.#arm();
  }

  /** It tells of itself no more. @param farewells how many times it says so. */
  #silence(link: AdvertisedLink, farewells: number): void {
    link.schedule.stop();
    link.askers = [];
    if (!link.isSpeaking) return;
    link.isSpeaking = false;
    link.farewells = farewells;
    this.#farewell(link, this.#host.clock.nowUs);
  }

  /** One of them (RFC 4861 §6.2.5). */
  #farewell(link: AdvertisedLink, nowUs: number): void {
    this.#send(link, ALL_NODES, true);
    link.schedule.told(nowUs);
    link.farewells--;
    link.farewellUs = link.farewells > 0 ? nowUs + FAREWELL_INTERVAL_US : Number.POSITIVE_INFINITY;
    if (link.farewells === 0 && link.isOver) this.end(link);
  }

  #tellAll(link: AdvertisedLink, nowUs: number): void {
    this.#send(link, ALL_NODES, false);
    link.schedule.sent(nowUs, intervalOf(link.said));
    link.askers = [];
  }

  /** Who has no address yet cannot be answered alone. */
  #answerAlone(link: AdvertisedLink, source: AddressWords, nowUs: number): void {
    if (link.askers.some(({ address }) => isSame(address, ...source))) return;
    if (isUnspecified(...source) || link.askers.length >= MAX_ASKERS) link.schedule.crowded(nowUs);
    else link.askers = [...link.askers, { address: source, dueUs: nowUs + link.schedule.delayUs() }];
  }

  #send({ device, said }: AdvertisedLink, to: AddressWords, isFarewell: boolean): void {
    const link = this.#host.linkOf(device.ifindex);
    const source = link === null ? null : linkLocalOf(link);
    if (link === null || source === null) return;
    const message = messageOf(said, device, link.addresses);
    this.#host.sender.send(link, source.address, to, emitRouter(isFarewell ? farewellOf(message) : message));
  }

  /** Who asks for routers is none (§6.2.6). @param offset of his link address; -1: he says none. */
  #learn(device: NetDevice, source: AddressWords, bytes: Uint8Array, offset: number): void {
    const { neighbours, current } = this.#host.around;
    const caller = current.id;
    current.id = neighbours.owner;
    const { CREATE, OVERRIDE } = NEIGHBOUR_UPDATE;
    const table = neighbours.current;
    const isKnown = table.learn(device, ADDRESS_FAMILY.INET6, ...source, bytes, offset, OVERRIDE);
    if (!isKnown && offset >= 0) table.learn(device, ADDRESS_FAMILY.INET6, ...source, bytes, offset, CREATE | OVERRIDE);
    current.id = caller;
  }

  #arm(): void {
    const nextUs = [...this.#links.values()].reduce((least, link) => Math.min(least, link.nextUs), Number.POSITIVE_INFINITY);
    if (nextUs === Number.POSITIVE_INFINITY) this.timer.cancel();
    else this.timer.armAt(nextUs);
  }
}
