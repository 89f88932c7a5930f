import type { ModuleContext, Neighbour, NetDevice, Objects, Poll } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DEVICE_EVENT,
  DeviceTraffic,
  NeighbourListener,
  NeighbourProtocol,
  Neighbours,
  NeighbourTable,
} from '@softnet/contract';
import { describeNeighbour, deviceOf, FROZEN_NEIGHBOUR } from './frozen-neighbour.ts';
import { NeighbourCore } from './neighbour-core.ts';
import type { NeighbourProxiesHost, ProxyAddress } from './neighbour-proxies.ts';
import { describeProxy, FROZEN_PROXY, freezeProxy, NeighbourProxies, thawProxy } from './neighbour-proxies.ts';
import type { NeighbourConf } from './neighbour-settings.ts';
import { defineNeighbourSettings } from './neighbour-settings.ts';

/** The neighbour core in its kernel. */
export interface NeighbourPart {
  readonly core: NeighbourCore;
  /** @param event one of `DEVICE_EVENT`. */
  deviceChanged(device: NetDevice, event: number): void;
}

/** Publishes the neighbour core, and declares its kinds and settings. @param changed raised when protocols come or go. */
export function startNeighbours(ctx: ModuleContext, changed: Poll): NeighbourPart {
  const { sysctl } = ctx;
  const resize = (): void => core.resize();
  const ipv4 = defineNeighbourSettings(sysctl, 'ipv4', resize);
  const ipv6 = defineNeighbourSettings(sysctl, 'ipv6', resize);
  for (const device of ctx.port(DeviceTraffic).current.all()) {
    for (const conf of [ipv4, ipv6]) conf.deviceChanged(device, DEVICE_EVENT.REGISTER);
  }
  const core = makeCore(ctx, changed, (family) => (family === ADDRESS_FAMILY.INET6 ? ipv6 : ipv4));
  ctx.corridor(Neighbours, core);
  ctx.door(NeighbourTable, core);
  return {
    core,
    deviceChanged: (device, event) => {
      if (event === DEVICE_EVENT.DOWN || event === DEVICE_EVENT.UNREGISTER) core.deviceGone(device);
      else if (event === DEVICE_EVENT.ADDRESS || (event === DEVICE_EVENT.CHANGE && !device.carrier)) core.flush(device);
      else if (event === DEVICE_EVENT.CHANGE) core.linkUp(device);
      if (event === DEVICE_EVENT.CHANGE) core.flagsChanged(device);
      for (const conf of [ipv4, ipv6]) conf.deviceChanged(device, event);
    },
  };
}

function makeCore(ctx: ModuleContext, changed: Poll, settings: (family: number) => NeighbourConf): NeighbourCore {
  const { clock, current, random } = ctx;
  const faults = ctx.poll({ poll: () => rethrow(core) }, 'neighbour.listener');
  const core: NeighbourCore = new NeighbourCore({
    ...{ clock, current, random, settings, owner: ctx },
    traffic: ctx.port(DeviceTraffic),
    protocols: ctx.contributions(NeighbourProtocol, changed),
    listeners: ctx.contributions(NeighbourListener),
    listenerFailed: () => faults.raise(),
    objects: declareNeighbours(ctx, () => core),
    proxies: declareProxies(ctx, (change, proxy) => core.tellProxy(change, proxy)),
    timer: (fire, arg, place) => ctx.timer(fire, arg, place),
    present: () => ctx.port(Neighbours).current,
    collected: ctx.counter('neighbours-collected'),
    visited: ctx.counter('neighbours-visited'),
    reasons: {
      queueFull: ctx.dropReason('neighbour.queue-full', 'too many packets wait for neighbours: the oldest goes (RFC 4861 §7.2.2)'),
      gone: ctx.dropReason('neighbour.gone', 'its neighbour was forgotten, or the device went down, while it waited'),
      noRoom: ctx.dropReason('neighbour.no-room', 'no memory for the link header'),
      tableFull: ctx.dropReason('neighbour.table-full', 'there are as many neighbours as may be: see net.ipv4.neigh.default.gc_thresh3'),
    },
  });
  return core;
}

function rethrow(core: NeighbourCore): number {
  core.rethrow();
  return 0;
}

function declareNeighbours(ctx: ModuleContext, core: () => NeighbourCore): Objects<Neighbour> {
  return ctx.objects<Neighbour>('neighbour', {
    drain: 'keep',
    close: (neighbour) => core().end(neighbour),
    describe: describeNeighbour,
    freeze: (neighbour) => core().freeze(neighbour),
    thaws: [FROZEN_NEIGHBOUR],
    thaw: (frozen) => core().thaw(frozen),
    settle: (neighbour) => core().settle(neighbour),
    left: (neighbour) => core().left(neighbour),
  });
}

function declareProxies(ctx: ModuleContext, told: NeighbourProxiesHost['told']): NeighbourProxies {
  const traffic = ctx.port(DeviceTraffic);
  const proxies: NeighbourProxies = new NeighbourProxies({
    ...{ owner: ctx, seed: ctx.random.u32() | 0, told },
    objects: ctx.objects<ProxyAddress>('proxy', {
      drain: 'keep',
      close: (proxy) => proxies.end(proxy),
      describe: describeProxy,
      freeze: freezeProxy,
      thaws: [FROZEN_PROXY],
      thaw: (frozen) => thawProxy(frozen, (ifindex) => deviceOf(traffic.current, ifindex)),
      settle: (proxy) => proxies.insert(proxy),
      left: (proxy) => proxies.left(proxy),
    }),
  });
  return proxies;
}
