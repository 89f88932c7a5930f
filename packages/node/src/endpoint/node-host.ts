import type { FaceHost } from '@softnet/contract';
import { DeviceTraffic, Message } from '@softnet/contract';
import type { HostNames, LookupFunction } from './lookup.ts';
import { tableLookup } from './lookup.ts';

/** What {@link createNode} takes; all of it has defaults. */
export interface NodeOptions {
  /** Names that are known, as in /etc/hosts. 'localhost' is, unless it stands here. */
  readonly hosts?: HostNames;
  /** Who resolves names instead, where a socket's own options bring nobody. */
  readonly lookup?: LookupFunction;
  /** Shown in lists of holders. Default 'node'. */
  readonly name?: string;
}

/** Longest datagram, and what is read of a stream at once. */
const ROOM_BYTES = 65_536;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What all sockets of one `createNode` share. */
export class NodeHost {
  readonly face: FaceHost;
  readonly name: string;
  readonly lookup: LookupFunction;
  /** Of the call at hand: nothing of it is kept. */
  readonly message = new Message();
  readonly room = new Uint8Array(ROOM_BYTES);
  #awake = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(face: FaceHost, { hosts, lookup, name = 'node' }: NodeOptions) {
    this.face = face;
    this.name = name;
    this.lookup = lookup ?? tableLookup(hosts);
  }

  /** An interface by its name or number; 0: none. */
  readonly scopeOf = (name: string): number => {
    if (/^\d+$/.test(name)) return Number(name);
    return this.face.port(DeviceTraffic).current.byName(name)?.ifindex ?? 0;
  };

  nameOf(ifindex: number): string {
    return this.face.port(DeviceTraffic).current.byIndex(ifindex)?.name ?? String(ifindex);
  }

  /** One more socket, or with -1 one less, for which the process lives on. In virtual time who moves it decides that. */
  keepAwake(change: 1 | -1): void {
    this.#awake += change;
    if (this.face.clock.virtual) return;
    if (this.#awake > 0) this.#timer ??= setInterval(() => {}, LONGEST_TIMER_MS);
    else if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
