import { CubicModule, RenoModule } from '@softnet/congestion';
import type { ModuleSource } from '@softnet/kernel';
import { TcpModule } from '@softnet/tcp';
import type { NetHost, NetOptions } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';

/** A host with TCP. */
export const TCP_STACK: readonly ModuleSource[] = Object.freeze([...HOST_STACK, RenoModule, CubicModule, TcpModule]);

/** Two hosts with a cable between them. */
export interface TwoHosts {
  readonly net: Net;
  readonly a: NetHost;
  readonly b: NetHost;
}

/** 10.0.0.1 and fd00::1, 10.0.0.2 and fd00::2. */
export async function twoHosts(cable: object = {}, options: NetOptions = {}): Promise<TwoHosts> {
  const net = new Net({ modules: TCP_STACK, ...options });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    cable,
  );
  return { net, a, b };
}
