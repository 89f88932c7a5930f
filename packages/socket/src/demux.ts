import type { Contributions, CurrentOwner, FlowKey, Skb, SockCommon, SocketDemux, SocketHolder, SocketPorts } from '@softnet/contract';
import { SKB_TYPE } from '@softnet/contract';
import { isIpv4 } from './flow-match.ts';
import type { FlowTable } from './flow-table.ts';
import type { PortTable } from './port-table.ts';

/** The flow table and the ports as layers and protocols meet them. */
export class Demux implements SocketDemux, SocketPorts {
  readonly #flows: FlowTable;
  readonly #ports: PortTable;
  readonly #current: CurrentOwner;
  /** Whose sockets are taken over from the generation before, at the first call: until then they are its own. Null: none, or it is done. */
  #before: Contributions<SocketHolder> | null = null;
  /** Kept, for what is sent to many, with nothing in it; null while it is in use. */
  #found: (SockCommon | null)[] | null = [];

  constructor(flows: FlowTable, ports: PortTable, current: CurrentOwner) {
    this.#flows = flows;
    this.#ports = ports;
    this.#current = current;
  }

  /** Takes over all that stand in the tables of the generation before, when that one is over. */
  follow(holders: Contributions<SocketHolder>): void {
    this.#before = holders;
  }

  deliver(skb: Skb, key: FlowKey): boolean {
    if (this.#before !== null) this.#takeOver(this.#before);
    if (isForMany(skb, key)) return this.#deliverToAll(skb, key);
    const sock = this.#flows.find(key);
    if (sock === null) return false;
    this.#give(sock, skb);
    return true;
  }

  find(key: FlowKey): SockCommon | null {
    if (this.#before !== null) this.#takeOver(this.#before);
    return this.#flows.find(key);
  }

  insert(sock: SockCommon): void {
    if (this.#before !== null) this.#takeOver(this.#before);
    if (sock.localPort === 0) return;
    this.#ports.claim(sock);
    this.#flows.insert(sock);
  }

  remove(sock: SockCommon): void {
    if (this.#before !== null) this.#takeOver(this.#before);
    this.#flows.remove(sock);
    this.#ports.release(sock);
  }

  bind(sock: SockCommon): number {
    if (this.#before !== null) this.#takeOver(this.#before);
    return this.#ports.bind(sock);
  }

  connect(sock: SockCommon): number {
    if (this.#before !== null) this.#takeOver(this.#before);
    const error = this.#ports.connect(sock);
    if (error === 0) this.#flows.insert(sock);
    return error;
  }

  /**
   * Has another one the flow that this one would have with this port, and keeps it? A TIME-WAIT may end for it.
   * @param isChosen another port would do.
   */
  isFlowTaken(sock: SockCommon, localPort: number, isChosen: boolean): boolean {
    const holder = this.#flows.flowHolder(sock, localPort);
    if (holder === null) return false;
    const current = this.#current;
    const caller = current.id;
    current.id = ownerOf(holder, caller);
    const yields = holder.ops.yields?.(holder, sock, isChosen) === true;
    current.id = caller;
    return !yields;
  }

  /** What a socket says of itself (its hash, that it has its port) is true of the tables of before: it comes into these. */
  #takeOver({ items }: Contributions<SocketHolder>): void {
    this.#before = null;
    for (const { sockets } of items) {
      for (const sock of sockets) {
        const stood = sock.hash !== 0;
        sock.hash = 0;
        sock.hashNext = null;
        if (this.#ports.has(sock)) this.#ports.enter(sock);
        if (stood) this.#flows.insert(sock);
      }
    }
  }

  /** Clones for all but the last. Who is woken by one may close others, which then get none. */
  #deliverToAll(skb: Skb, key: FlowKey): boolean {
    const found = this.#found ?? [];
    this.#found = null;
    let left = this.#flows.findAll(key, found);
    const some = left > 0;
    while (left > 0) {
      const sock = found[--left]!;
      found[left] = null;
      if (left > 0) {
        // Out of memory is counted by the pool; the last one gets the packet all the same.
        const clone = skb.memory.pool.clone(skb);
        if (clone === null) continue;
        if (this.#flows.has(sock)) this.#give(sock, clone);
        else clone.memory.pool.release(clone);
      } else if (this.#flows.has(sock)) this.#give(sock, skb);
      else skb.memory.pool.release(skb);
    }
    this.#found = found;
    return some;
  }

  #give(sock: SockCommon, skb: Skb): void {
    const current = this.#current;
    const caller = current.id;
    current.id = ownerOf(sock, caller);
    sock.ops.input(sock, skb);
    current.id = caller;
  }
}

function ownerOf({ holdKind }: SockCommon, caller: number): number {
  return holdKind === null ? caller : holdKind.owner;
}

/** Multicast and broadcast are for all who have asked (RFC 1122 §3.3.6, §3.3.7); a subnet's broadcast is known by its type only. */
function isForMany({ type }: Skb, { local0, local1, local2, local3 }: FlowKey): boolean {
  if (!isIpv4(local0, local1, local2)) return local0 >>> 24 === 0xff;
  return type === SKB_TYPE.BROADCAST || local3 >>> 28 === 0xe || local3 === -1;
}
