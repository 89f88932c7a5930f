import type { AddressWords, Neighbour, NetDevice } from '@softnet/contract';
import { hashWords } from '../address-hash.ts';

/** How many next hops lead by an address on a device. */
interface Gateway {
  readonly family: number;
  readonly device: NetDevice;
  readonly address: AddressWords;
  hops: number;
}

/** Addresses that next hops lead by: their neighbours are not collected. */
export class Gateways {
  readonly #byHash = new Map<number, Gateway[]>();

  /** One next hop more. Returns how many there are. */
  add(device: NetDevice, family: number, address: AddressWords): number {
    const key = keyOf(family, ...address);
    const others = this.#byHash.get(key);
    let gateway = others?.find((each) => isFor(each, device, family, ...address));
    if (gateway === undefined) {
      gateway = { family, device, address, hops: 0 };
      if (others === undefined) this.#byHash.set(key, [gateway]);
      else others.push(gateway);
    }
    return ++gateway.hops;
  }

  /** One less. Returns how many there are. */
  remove(device: NetDevice, family: number, address: AddressWords): number {
    const key = keyOf(family, ...address);
    const all = this.#byHash.get(key) ?? [];
    const gateway = all.find((each) => isFor(each, device, family, ...address));
    if (gateway === undefined) return 0;
    if (--gateway.hops > 0) return gateway.hops;
    if (all.length === 1) this.#byHash.delete(key);
    else all.splice(all.indexOf(gateway), 1);
    return 0;
  }

  /** How many next hops lead by it. */
  hopsBy({ device, family, address0, address1, address2, address3 }: Neighbour): number {
    for (const each of this.#byHash.get(keyOf(family, address0, address1, address2, address3)) ?? []) {
      if (isFor(each, device, family, address0, address1, address2, address3)) return each.hops;
    }
    return 0;
  }
}

/** Gateways are chosen by administrators: no seed. */
function keyOf(family: number, word0: number, word1: number, word2: number, word3: number): number {
  return hashWords(0, word0, word1, word2, word3, family);
}

function isFor(gateway: Gateway, device: NetDevice, family: number, word0: number, word1: number, word2: number, word3: number): boolean {
  const [own0, own1, own2, own3] = gateway.address;
  return gateway.device === device && gateway.family === family && own3 === word3 && own2 === word2 && own1 === word1 && own0 === word0;
}
