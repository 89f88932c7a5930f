import type { DeviceListener } from '@softnet/contract';
import { DEVICE_EVENT, FlowRule } from '@softnet/contract';
import { FakeNic, plugNic } from './fake-nic.ts';
import { bootNetdev } from './netdev-host.ts';

/** A host with a card of four queues each way, and all that is told of it. */
export async function bootNic() {
  const host = await bootNetdev();
  const events: string[] = [];
  const ear: DeviceListener = {
    deviceChanged: (_device, event) => void events.push(Object.entries(DEVICE_EVENT).find(([, number]) => number === event)![0]),
  };
  await host.load('ear', { listeners: [ear] });
  const nic = new FakeNic(host);
  const eth0 = plugNic(host, nic);
  events.length = 0;
  return { host, nic, eth0, ethtool: host.ethtool(), events };
}

/** A rule for UDP from that port to our port 7. */
export function rule(location: number, queue: number, remotePort = 5000): FlowRule {
  const made = Object.assign(new FlowRule(), { location, queue });
  Object.assign(made.key, { protocol: 17, localPort: 7, remotePort });
  return made;
}

/** The message of an error, by its errno and words in it. */
export function code(errno: string, ...words: readonly string[]): RegExp {
  return new RegExp(`^${errno}: .*${words.join('.*')}`);
}
