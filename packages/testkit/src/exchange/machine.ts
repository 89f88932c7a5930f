import { NetError } from '@softnet/contract';
import type { FlowKey } from './service.ts';

/** Ports given to who asks for none: the IANA's dynamic ones. */
const FIRST_FREE = 49152;
const FREE_PORTS = 65536 - FIRST_FREE;

/** A port that somebody has. */
export interface PortKey {
  readonly protocol: number;
  readonly port: number;
}

/** The tables of an exchange: who has which port, and whose packets these are. */
export class Tables<F extends FlowKey, P extends PortKey> {
  /** Where the search for a free port begins. */
  nextFree: number;
  readonly #flows = new Map<string, F>();
  readonly #ports = new Map<string, P>();
  /** Flows by local port, so that a free port is found without walking the table. */
  readonly #used = new Map<string, number>();

  constructor(nextFree: number) {
    this.nextFree = nextFree % FREE_PORTS;
  }

  /** The flow of these packets: its own, else one that takes packets from anybody. */
  find(protocol: number, localPort: number, remote: number, remotePort: number): F | undefined {
    return this.#flows.get(`${protocol} ${localPort} ${remote} ${remotePort}`) ?? this.#flows.get(`${protocol} ${localPort} 0 0`);
  }

  exact(key: FlowKey): F | undefined {
    return this.#flows.get(nameOf(key));
  }

  bound(protocol: number, port: number): P | undefined {
    return this.#ports.get(`${protocol} ${port}`);
  }

  /** @throws NetError EADDRINUSE. */
  checkFlow(key: FlowKey): void {
    const wild = key.remote === 0 && this.bound(key.protocol, key.localPort) !== undefined;
    if (wild || this.exact(key) !== undefined) {
      throw new NetError('EADDRINUSE', `port ${key.localPort} of protocol ${key.protocol} has that flow already`);
    }
  }

  /** @throws NetError EADDRINUSE. */
  checkPort(protocol: number, port: number): void {
    const wild = { protocol, localPort: port, remote: 0, remotePort: 0 };
    if (this.bound(protocol, port) !== undefined || this.exact(wild) !== undefined) {
      throw new NetError('EADDRINUSE', `port ${port} of protocol ${protocol} is taken: choose another, or 0 for any`);
    }
  }

  /** @throws NetError EADDRNOTAVAIL. */
  freePort(protocol: number): number {
    for (let tried = 0; tried < FREE_PORTS; tried++) {
      const port = FIRST_FREE + this.nextFree;
      this.nextFree = (this.nextFree + 1) % FREE_PORTS;
      if (!this.#used.has(`${protocol} ${port}`) && !this.#ports.has(`${protocol} ${port}`)) return port;
    }
    throw new NetError('EADDRNOTAVAIL', `all ${FREE_PORTS} free ports of protocol ${protocol} are in use`);
  }

  addFlow(flow: F): void {
    this.#flows.set(nameOf(flow), flow);
    const port = `${flow.protocol} ${flow.localPort}`;
    this.#used.set(port, (this.#used.get(port) ?? 0) + 1);
  }

  removeFlow(flow: F): void {
    if (this.exact(flow) !== flow) return;
    this.#flows.delete(nameOf(flow));
    const port = `${flow.protocol} ${flow.localPort}`;
    const left = (this.#used.get(port) ?? 1) - 1;
    if (left === 0) this.#used.delete(port);
    else this.#used.set(port, left);
  }

  addPort(bound: P): void {
    this.#ports.set(`${bound.protocol} ${bound.port}`, bound);
  }

  removePort(bound: P): void {
    if (this.bound(bound.protocol, bound.port) === bound) this.#ports.delete(`${bound.protocol} ${bound.port}`);
  }
}

function nameOf({ protocol, localPort, remote, remotePort }: FlowKey): string {
  return `${protocol} ${localPort} ${remote} ${remotePort}`;
}

/** @throws NetError EINVAL. */
export function checkPortNumber(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return port;
  throw new NetError('EINVAL', `a port is an integer from 0 to 65535, got ${port}`);
}
