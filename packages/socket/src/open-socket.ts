import type { Contributions, CurrentOwner, NetworkLayer, Owner, SockCommon, SocketProtocol, Sockets } from '@softnet/contract';
import { NetError } from '@softnet/contract';

/** Of `SocketProtocol.protocol`. */
const ANY_PROTOCOL = -1;

/** Where users come in: finds who makes sockets of a family, type and protocol. */
export class SocketDoor implements Sockets {
  readonly #protocols: Contributions<SocketProtocol>;
  readonly #layers: Contributions<NetworkLayer>;
  readonly #current: CurrentOwner;
  /** By type and number: the names of protocols that were there, so that who comes later is told who went. */
  readonly #known = new Map<string, string>();

  constructor(protocols: Contributions<SocketProtocol>, layers: Contributions<NetworkLayer>, current: CurrentOwner) {
    this.#protocols = protocols;
    this.#layers = layers;
    this.#current = current;
  }

  open(family: number, type: number, protocol: number, owner: Owner): SockCommon {
    const { items, owners } = this.#protocols;
    const isOfFamily = this.#familyTest(family);
    const ofType = (item: SocketProtocol): boolean => isOfFamily(item) && item.type === type;
    const named = items.findLastIndex((item) => ofType(item) && (protocol === 0 ? item.usual : item.protocol === protocol));
    const index = named >= 0 ? named : items.findLastIndex((item) => ofType(item) && item.protocol === ANY_PROTOCOL);
    if (index < 0) throw this.#refusal(items.filter(isOfFamily), family, type, protocol);
    this.#know(items[index]!);
    const caller = this.#current.id;
    this.#current.id = owners[index]!;
    try {
      return items[index]!.open(family, owner, protocol);
    } finally {
      this.#current.id = caller;
    }
  }

  #know({ type, protocol, usual, name }: SocketProtocol): void {
    const key = `${type} ${protocol}`;
    if (this.#known.has(key)) return;
    this.#known.set(key, name);
    if (usual) this.#known.set(`${type} 0`, name);
  }

  #refusal(ofFamily: readonly SocketProtocol[], family: number, type: number, protocol: number): NetError {
    const gone = ofFamily.length === 0 ? undefined : this.#known.get(`${type} ${protocol}`);
    if (gone === undefined) return refusal(ofFamily, family, type, protocol);
    const sentence = `socket(family ${family}, type ${type}, protocol ${protocol}): ${gone} is leaving, or was unloaded: load it again`;
    return new NetError('EPROTONOSUPPORT', sentence, { syscall: 'socket', module: gone });
  }

  /** A family is there as long as a layer of it takes newcomers: so users' programs fall back to another one. */
  #familyTest(family: number): (item: SocketProtocol) => boolean {
    const hasLayer = this.#layers.items.some((layer) => layer.family === family && layer.uses.open);
    return (item) => item.family === family || (item.family === 0 && hasLayer);
  }
}

function refusal(ofFamily: readonly SocketProtocol[], family: number, type: number, protocol: number): NetError {
  const asked = `socket(family ${family}, type ${type}, protocol ${protocol})`;
  if (ofFamily.length === 0) {
    return new NetError('EAFNOSUPPORT', `${asked}: no module that is staying brings the family: load its layer`, { syscall: 'socket' });
  }
  const ofType = ofFamily.filter((item) => item.type === type).map(({ name, protocol: number }) => `${name} (${number})`);
  if (ofType.length > 0) {
    const sentence = `${asked}: of this type the family has ${ofType.join(', ')}: ask for one of these, or load its protocol`;
    return new NetError('EPROTONOSUPPORT', sentence, { syscall: 'socket' });
  }
  return new NetError('ESOCKTNOSUPPORT', `${asked}: no protocol of the family has this type: load one`, { syscall: 'socket' });
}
