import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { NetError } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { createNode } from '@softnet/node';

/** Where a forwarded connection goes on: in the kernel's network. */
export interface ForwardTarget {
  readonly address: string;
  readonly port: number;
}

/** A loopback port of this machine: each connection to it goes on over a kernel's TCP, both ways, until either end is done. */
export class PortForward {
  readonly kernel: Kernel;
  readonly target: ForwardTarget;
  readonly port: number;
  /** So far. */
  connections = 0;
  readonly #server: Server;
  readonly #open: Set<Socket>;

  private constructor(kernel: Kernel, target: ForwardTarget, server: Server, open: Set<Socket>) {
    this.kernel = kernel;
    this.target = target;
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#open = open;
  }

  /** @param port 0: any that is free. Rejects with a NetError: EADDRINUSE, EACCES. */
  static async open(kernel: Kernel, port: number, target: ForwardTarget): Promise<PortForward> {
    const { net } = createNode(kernel, { name: 'port forward' });
    const open = new Set<Socket>();
    let forward: PortForward | null = null;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
      if (forward !== null) forward.connections++;
      const inner = net.connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
      open.add(outer);
      outer.on('close', () => open.delete(outer));
      // Either way: its end ends the other's, its failure resets it.
      pipeline(outer, inner, () => undefined);
      pipeline(inner, outer, () => undefined);
      inner.on('error', () => outer.resetAndDestroy());
      outer.on('error', () => inner.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(error, port)));
      server.listen(port, '127.0.0.1', resolve);
    });
    forward = new PortForward(kernel, target, server, open);
    return forward;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function refusal({ code }: NodeJS.ErrnoException, port: number): NetError {
  if (code === 'EADDRINUSE')
    return new NetError('EADDRINUSE', `another program has port ${port} of this machine: choose another, or 0 for any`);
  if (code === 'EACCES')
    return new NetError('EACCES', `port ${port} of this machine is not for everybody: choose one above 1023, or 0 for any`);
  return new NetError('EINVAL', `port ${port} of this machine cannot be had: ${code}`);
}
