import type { Dst, DstUse, Flow, RouteEntry } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Counter,
  DEVICE_FLAG,
  Flow as FlowRecord,
  Held,
  LightweightTunnel,
  NetworkLayer,
  PacketPolicy,
  ROUTE_TYPE,
  RouteListener,
  TRANSMIT,
} from '@softnet/contract';
import { formatAddress, parseAddress, parsePrefix } from '@softnet/wire';
import { Router } from '../router.ts';
import { FakeKernel, FakeObjects, FakePoint, FakePort } from './fake-kernel.ts';

/** Somebody who holds dsts. */
export class Holder extends Held {}

/** As much of IPv4 or IPv6 as routing needs. */
class FakeLayer {
  readonly family: number;
  readonly minMtuBytes: number;
  readonly uses = new FakeObjects<DstUse>('dst');
  readonly prepared: Dst[] = [];
  sources = 0;

  constructor(family: number) {
    this.family = family;
    this.minMtuBytes = family === ADDRESS_FAMILY.INET ? 68 : 1280;
  }
  prepare(dst: Dst): void {
    this.prepared.push(dst);
    dst.uses = this.uses;
    dst.headroomBytes += 20;
    const count = (skb: Parameters<Dst['output']>[0]): number => {
      skb.memory.pool.release(skb);
      return TRANSMIT.OK;
    };
    dst.input = count;
    dst.output = count;
    dst.finish = count;
  }
  chooseSource(flow: Flow, dst: Dst): boolean {
    this.sources++;
    flow.src2 = 0xffff;
    flow.src3 = (192 << 24) | dst.device!.ifindex;
    return true;
  }
}

/** Routing on a kernel that is not there: lo, eth0, eth1, both layers. */
export function bootRouter(options: { readonly limit?: number; readonly limitOfHop?: number } = {}) {
  const kernel = new FakeKernel();
  const layers = new FakePoint(NetworkLayer);
  const tunnels = new FakePoint(LightweightTunnel);
  const policy = new FakePort(PacketPolicy);
  const listeners = new FakePoint(RouteListener);
  const inet = new FakeLayer(ADDRESS_FAMILY.INET);
  const inet6 = new FakeLayer(ADDRESS_FAMILY.INET6);
  layers.set(inet as never, inet6 as never);
  const [lo, eth0, eth1] = [kernel.plug('lo', DEVICE_FLAG.LOOPBACK), kernel.plug('eth0'), kernel.plug('eth1')];
  const uses = new FakeObjects<DstUse>('idle-use');
  const { clock, current, traffic, reason } = kernel;
  let seed = 0;
  const exceptionsVisited = new Counter('exceptions-visited');
  const router = new Router({
    ...{ clock, current, layers, tunnels, policy, listeners, traffic, uses, reason },
    routesLost: new Counter('routes-lost'),
    seed: () => ++seed,
    exceptionLimit: () => options.limit ?? 2048,
    exceptionLimitOfHop: () => options.limitOfHop ?? 2048,
    exceptionsVisited,
    lifetimeMs: () => 600_000,
    timer: (fire) => kernel.timer(fire, undefined),
    looked: () => {},
    gateways: { hopBegins: () => {}, hopEnds: () => {} },
  });
  const { store, service } = router;
  const add = (text: string): void => store.add(route(text, kernel));
  const ask = (to: string, changes: Partial<Flow> = {}): Dst => service.lookup(flowTo(to, changes));
  return {
    kernel,
    layers,
    tunnels,
    policy,
    listeners,
    inet,
    inet6,
    lo,
    eth0,
    eth1,
    uses,
    router,
    store,
    service,
    add,
    ask,
    exceptionsVisited,
  };
}

/** Makes a flow; of whom it is, is said by its destination. */
export function flowTo(to: string, changes: Partial<Flow> = {}): Flow {
  const { family, words } = parseAddress(to)!;
  const flow = Object.assign(new FlowRecord(), { family }, changes);
  [flow.dst0, flow.dst1, flow.dst2, flow.dst3] = words;
  return flow;
}

/** A route in words: `10.0.0.0/8 via 10.1.0.1 dev eth0 weight 2 via ... dev eth1 metric 5 table 7 tos 16 type 7 src 10.0.0.9 proto 2 scope 253 onlink 1`. */
export function route(text: string, kernel: FakeKernel): RouteEntry {
  const [prefix, ...words] = text.split(' ');
  const { family, words: address, prefixLen } = parsePrefix(prefix!)!;
  const entry: Record<string, unknown> = { family, prefix: address, prefixLen, type: ROUTE_TYPE.UNICAST, source: 3 };
  const nextHops: Record<string, unknown>[] = [];
  let gateway: unknown;
  for (let i = 0; i < words.length; i += 2) {
    const [key, value] = [words[i]!, words[i + 1]!];
    if (key === 'via') {
      const { family: of, words: to } = parseAddress(value)!;
      gateway = { family: of, address: to };
    } else if (key === 'dev') {
      const ifindex = kernel.devices.find(({ name }) => name === value)?.ifindex ?? Number(value);
      nextHops.push({ ifindex, ...(gateway === undefined ? {} : { gateway }) });
      gateway = undefined;
    } else if (key === 'weight') nextHops.at(-1)!.weight = Number(value);
    else if (key === 'onlink') nextHops.at(-1)!.onLink = true;
    else if (key === 'encap') nextHops.at(-1)!.encap = { name: value, config: 100 };
    else if (key === 'src') entry.preferredSource = parseAddress(value)!.words;
    else if (key === 'mtu') entry.metrics = Int32Array.of(0, 0, Number(value));
    else entry[{ metric: 'priority', proto: 'source' }[key] ?? key] = Number(value);
  }
  return { ...entry, nextHops } as unknown as RouteEntry;
}

/** Where a dst leads, in words. */
export function where(dst: Dst): string {
  const { error, device, gatewayFamily, gateway0, gateway1, gateway2, gateway3, type } = dst;
  if (error !== 0) return `error ${error}`;
  const via = gatewayFamily === 0 ? '' : ` via ${formatAddress(gatewayFamily, gateway0, gateway1, gateway2, gateway3)}`;
  return `${type === ROUTE_TYPE.UNICAST ? '' : `${type} `}${device?.name ?? 'nowhere'}${via}`;
}
