import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { Kernel, World } from '@softnet/kernel';
import { MessagePortModule } from '@softnet/nic-driver';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';

/** What the first thread wants. */
export type WorkerOrder = 'count' | 'replace' | 'unload' | 'end';

export interface WorkerWord {
  readonly done: WorkerOrder | 'boot';
  /** Frames that the device has received, and those that the driver lost. */
  readonly received: number;
  readonly dropped: number;
  readonly leaks: number;
}

/** A host of its own, with an echo service, behind a port. */
async function main(port: MessagePort): Promise<void> {
  const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'worker', settings: QUIET_HOST });
  for (const source of [...HOST_STACK, MessagePortModule, UdpEchoModule]) await kernel.load(source);
  const host = new NetHost(kernel);
  const device = await host.addDevice('message-port', 'eth0', { port });
  host.up('eth0');
  for (const prefix of ['10.9.0.2/24', 'fd09::2/64']) host.addAddress('eth0', prefix);

  const obey = async (order: WorkerOrder): Promise<number> => {
    if (order === 'replace') return (await (await kernel.replace('message-port', MessagePortModule)).drained).leaks.length;
    if (order === 'unload') return (await kernel.unload('message-port', { force: true })).leaks.length;
    if (order === 'end') {
      await kernel.shutdown();
      port.close();
      parentPort!.close();
    }
    return 0;
  };
  parentPort!.on('message', (order: WorkerOrder) => {
    void obey(order).then((leaks) => {
      const { rxPackets, rxMissed } = device.stats;
      const reasons = kernel.dropReasons().filter(({ name }) => name.startsWith('message-port.'));
      const dropped = reasons.reduce((sum, { count }) => sum + count, rxMissed);
      parentPort!.postMessage({ done: order, received: rxPackets, dropped, leaks } satisfies WorkerWord);
    });
  });
}

void main(workerData as MessagePort);
