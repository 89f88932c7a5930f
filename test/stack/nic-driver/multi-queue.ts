import type { NetDevice } from '@softnet/contract';
import { Ethtool, FlowKey, IP_PROTOCOL } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import type { CableOptions, WireOptions } from '@softnet/nic-driver';
import { Cable, WireModule } from '@softnet/nic-driver';
import { parseAddress } from '@softnet/wire';
import type { Datagram } from './arrivals.ts';
import { ArrivalsModule, arrivalsOf, frameOf, sendFrame } from './arrivals.ts';
import { addDevice, frameHost, numbered } from './frames.ts';

/** Two kernels, or one, with a wire between two devices of several queues. What is sent from `a` arrives at `b`. */
export async function wired(
  options: Omit<WireOptions, 'cable'> = {},
  cableOptions: CableOptions = {},
  { sameKernel = false, ofA = options }: { sameKernel?: boolean; ofA?: Omit<WireOptions, 'cable'> } = {},
) {
  const world = new World({ seed: 3 });
  const cable = new Cable(cableOptions);
  const first = await frameHost(world, 'a');
  const kernels: [Kernel, Kernel] = [first, sameKernel ? first : await frameHost(world, 'b')];
  for (const kernel of new Set(kernels)) for (const source of [WireModule, ArrivalsModule]) await world.run(kernel.load(source));
  const [kernel, other] = kernels;
  const a: NetDevice = await addDevice(kernel, 'wire', 'eth%d', { cable, ...ofA });
  const b: NetDevice = await addDevice(other, 'wire', 'eth%d', { cable, ...options });
  const arrivals = arrivalsOf(other);
  const ethtool = (): Ethtool => other.port(Ethtool).current;
  /** A datagram of flow `flow`, the `number`th. */
  const send = (flow: number, number: number, lenBytes = 100): number =>
    sendFrame(kernel, a, frameOf(b, { ...flowOf(flow), payload: numbered(number, lenBytes) }), (skb) => {
      // Nobody here knows flows: it chooses the transmit queue.
      skb.hash = Math.imul(flow + 1, 0x9e3779b1);
    });
  return { world, cable, kernels, kernel, other, a, b, arrivals, ethtool, send };
}

/** Ends of flow number so and so, seen from who sends. */
export function flowOf(flow: number) {
  return { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1000 + flow, dstPort: 7 };
}

/** Which flow a packet of these is of, and its number. */
export function flowAndNumber(packet: Uint8Array): [flow: number, number: number] {
  const view = new DataView(packet.buffer, packet.byteOffset);
  return [view.getUint16(20) - 1000, view.getUint32(28)];
}

/** A flow as this host's sockets name it. */
export function keyOf({ src, dst, srcPort, dstPort, protocol = IP_PROTOCOL.UDP }: Datagram): FlowKey {
  const [remote0, remote1, remote2, remote3] = parseAddress(src)!.words;
  const [local0, local1, local2, local3] = parseAddress(dst)!.words;
  const ends = { local0, local1, local2, local3, remote0, remote1, remote2, remote3, localPort: dstPort, remotePort: srcPort };
  return Object.assign(new FlowKey(), { ...ends, protocol });
}
