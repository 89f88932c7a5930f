import type { Notice, Owner, OwnPool, Port, SkbPool, SkbPools } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { PoolSource } from '@softnet/skb';

/** How much packet memory a device has for itself. */
export interface DeviceMemorySize {
  /** Small buffers: the heads of frames. */
  readonly buffers: number;
  readonly pages: number;
}

/** What {@link DeviceMemory} asks of its module's ports. */
export interface MemoryHost {
  readonly pool: Port<SkbPool>;
  readonly pools: Port<SkbPools>;
}

/**
 * Packet memory of a device's own, for what it receives (row S4): others cannot use it up, and however much it receives, it uses up nobody
 * else's. When the skb module leaves, the device lets go of it, as it would hold it up, and lives on the shared pool.
 */
export class DeviceMemory implements PoolSource, Owner {
  readonly name: string;
  readonly size: DeviceMemorySize;
  readonly #host: MemoryHost;
  #own: OwnPool | null;
  /** The skb module leaves. */
  #waits = false;

  /**
   * @param name the device's. @param mustHave false: of a device that is handed over, which lives on the shared pool if there is not enough.
   * @throws NetError ENOBUFS when the shared pool has not so much idle, EINVAL.
   */
  constructor(host: MemoryHost, name: string, size: DeviceMemorySize, mustHave: boolean) {
    this.name = name;
    this.size = size;
    this.#host = host;
    this.#own = null;
    if (mustHave) this.#own = this.#take();
    else this.#retake();
  }

  get current(): SkbPool {
    if (this.#waits && this.#host.pools.present) this.#retake();
    return this.#own === null ? this.#host.pool.current : this.#own.pool;
  }

  notice({ sort, object }: Notice): void {
    if (sort === 'moved') this.#own = object as OwnPool;
    else if (sort === 'closed') this.#own = null;
    else if (sort === 'leaving') {
      this.close();
      // Whether it stays after all nobody says to who has let go.
      this.#waits = true;
    }
  }

  /** What is out comes back in its time. */
  close(): void {
    const own = this.#own;
    this.#own = null;
    this.#waits = false;
    own?.close();
  }

  #take(): OwnPool {
    return this.#host.pools.current.create({ name: this.name, ...this.size }, this, 'driver.memory');
  }

  /** The skb module stays after all, or another generation drives the device; others may have taken the memory meanwhile. */
  #retake(): void {
    this.#waits = false;
    try {
      this.#own ??= this.#take();
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
    }
  }
}

/** Sizes that a user gave. Null: none, so that the shared pool serves. @throws NetError EINVAL. */
export function memoryOption(kind: string, { buffers, pages }: { buffers?: unknown; pages?: unknown }): DeviceMemorySize | null {
  if (buffers === undefined && pages === undefined) return null;
  return { buffers: countOption(kind, 'buffers', buffers), pages: countOption(kind, 'pages', pages) };
}

function countOption(kind: string, name: string, given: unknown): number {
  if (given === undefined) return 0;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0) return given;
  throw new NetError('EINVAL', `${kind}: ${name} takes how many the device has for itself, 0 or more, got ${String(given)}`);
}
