import type { AddressWords, Frozen, NetDevice, Objects, Owner, ProxyEntry } from '@softnet/contract';
import { Held, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { hashWords } from '../address-hash.ts';

/** Version of the layout. */
export const FROZEN_PROXY = 1;

/** Addresses that a host may answer for. */
const MAX_PROXIES = 4096;

/** An address that this host answers for. Kind `keep`: it holds nothing up. */
export class ProxyAddress extends Held implements ProxyEntry {
  readonly family: number;
  readonly device: NetDevice | null;
  readonly address: AddressWords;

  constructor(device: NetDevice | null, family: number, address: AddressWords) {
    super();
    this.device = device;
    this.family = family;
    this.address = address;
  }
}

export interface NeighbourProxiesHost {
  readonly objects: Objects<ProxyAddress>;
  readonly owner: Owner;
  readonly seed: number;
  /** One came or went. */
  readonly told: (change: 'add' | 'remove', proxy: ProxyEntry) => void;
}

/** Addresses of others that this host answers for (RFC 1027, RFC 4861 §7.2.8): `ip neigh add proxy`. Answering is the protocols' matter. */
export class NeighbourProxies {
  count = 0;
  readonly #host: NeighbourProxiesHost;
  readonly #byHash = new Map<number, ProxyAddress[]>();

  constructor(host: NeighbourProxiesHost) {
    this.#host = host;
  }

  *[Symbol.iterator](): Generator<ProxyAddress> {
    for (const all of this.#byHash.values()) yield* all;
  }

  has(device: NetDevice, family: number, word0: number, word1: number, word2: number, word3: number): boolean {
    if (this.count === 0) return false;
    const all = this.#byHash.get(hashWords(this.#host.seed, word0, word1, word2, word3, family));
    if (all === undefined) return false;
    for (let i = 0; i < all.length; i++) {
      const proxy = all[i]!;
      const [own0, own1, own2, own3] = proxy.address;
      const isHere = proxy.family === family && (proxy.device === null || proxy.device === device);
      if (isHere && own3 === word3 && own2 === word2 && own1 === word1 && own0 === word0) return true;
    }
    return false;
  }

  /** @throws NetError EEXIST, ENOBUFS. */
  add(device: NetDevice | null, family: number, address: AddressWords): void {
    if (this.#find(device, family, address) !== undefined)
      throw fault('EEXIST', `answered for already: ${nameOf(device, family, address)}`);
    if (this.count >= MAX_PROXIES) throw fault('ENOBUFS', `${MAX_PROXIES} addresses are answered for already, and no more may be`);
    const proxy = new ProxyAddress(device, family, [...address]);
    this.#host.objects.hold(proxy, this.#host.owner, 'neighbour.proxy');
    this.insert(proxy);
  }

  /** @throws NetError ENOENT. */
  remove(device: NetDevice | null, family: number, address: AddressWords): void {
    const proxy = this.#find(device, family, address);
    if (proxy === undefined) throw fault('ENOENT', `nobody answers for ${nameOf(device, family, address)}`);
    this.end(proxy);
  }

  insert(proxy: ProxyAddress): void {
    const key = this.#keyOf(proxy.family, proxy.address);
    const all = this.#byHash.get(key);
    if (all === undefined) this.#byHash.set(key, [proxy]);
    else all.push(proxy);
    this.count++;
    this.#host.told('add', proxy);
  }

  end(proxy: ProxyAddress): void {
    this.left(proxy);
    this.#host.told('remove', proxy);
    if (proxy.holdNext !== null) this.#host.objects.release(proxy);
  }

  /** As `end`, for one that the next generation has. */
  left(proxy: ProxyAddress): void {
    const key = this.#keyOf(proxy.family, proxy.address);
    const all = this.#byHash.get(key);
    const at = all?.indexOf(proxy) ?? -1;
    if (all === undefined || at < 0) return;
    if (all.length === 1) this.#byHash.delete(key);
    else all.splice(at, 1);
    this.count--;
  }

  /** The device goes down, or away. */
  deviceGone(device: NetDevice): void {
    for (const proxy of [...this]) if (proxy.device === device) this.end(proxy);
  }

  close(): void {
    for (const proxy of [...this]) this.end(proxy);
  }

  #find(device: NetDevice | null, family: number, address: AddressWords): ProxyAddress | undefined {
    const all = this.#byHash.get(this.#keyOf(family, address));
    return all?.find((each) => each.device === device && each.family === family && each.address.every((word, at) => word === address[at]));
  }

  #keyOf(family: number, address: AddressWords): number {
    return hashWords(this.#host.seed, ...address, family);
  }
}

export function freezeProxy({ device, family, address }: ProxyAddress): Frozen {
  return { version: FROZEN_PROXY, data: { ifindex: device?.ifindex ?? 0, family, address: [...address] } };
}

/** @param deviceOf the device of this index. */
export function thawProxy(frozen: Frozen, deviceOf: (ifindex: number) => NetDevice): ProxyAddress {
  const { ifindex, family, address } = frozen.data as unknown as { ifindex: number; family: number; address: AddressWords };
  return new ProxyAddress(ifindex === 0 ? null : deviceOf(ifindex), family, address);
}

/** 'proxy 10.0.0.2 on eth0'. */
export function describeProxy({ device, family, address }: ProxyAddress): string {
  return `proxy ${nameOf(device, family, address)}`;
}

function nameOf(device: NetDevice | null, family: number, address: AddressWords): string {
  return `${formatAddress(family, ...address)} on ${device?.name ?? 'every device'}`;
}

function fault(code: 'EEXIST' | 'ENOBUFS' | 'ENOENT', text: string): NetError {
  return new NetError(code, text, { syscall: 'neighbour' });
}
