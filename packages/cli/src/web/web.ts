import { NetError } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { ForwardsRunning } from './forwards-running.ts';
import type { ForwardTarget } from './port-forward.ts';
import { PortForward } from './port-forward.ts';
import { WebServer } from './web-server.ts';

/** Where it is looked for first; another program may have it. */
const USUAL_PORT = 8080;

/** What a scene has for browsers: web servers inside kernels, and ports of this machine that lead to them. */
export class Web {
  readonly forwards = new ForwardsRunning();
  readonly #servers: WebServer[] = [];

  serve(kernel: Kernel, failed: (error: unknown) => void): void {
    this.#servers.push(new WebServer(kernel, failed));
  }

  /** A way in, by a loopback port. @param port null: the usual one, else any that is free. */
  async forward(kernel: Kernel, port: number | null, target: ForwardTarget): Promise<PortForward> {
    const made = await PortForward.open(kernel, port ?? USUAL_PORT, target).catch((error: unknown) => {
      if (port !== null || !(error instanceof NetError)) throw error;
      return PortForward.open(kernel, 0, target);
    });
    this.forwards.add(made);
    return made;
  }

  async close(): Promise<void> {
    await this.forwards.close();
    for (const server of this.#servers.splice(0)) server.close();
  }
}
