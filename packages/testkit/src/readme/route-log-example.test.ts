import type { ModuleContext, RouteListener, SoftnetModule } from '@softnet/contract';
import { RouteListener as Listener, Module } from '@softnet/contract';
import { Net } from '@softnet/testkit';
import { formatPrefix } from '@softnet/wire';
import { expect, test } from 'vitest';

test('a module hears of routes, rules and next hops', async () => {
  const heard: string[] = [];
  const listener: RouteListener = {
    routeChanged: (change, { family, prefix, prefixLen }) => heard.push(`${change} ${formatPrefix({ family, words: prefix, prefixLen })}`),
    ruleChanged: (change, { priority }) => heard.push(`${change} rule ${priority}`),
    nextHopChanged: (change, { id }) => heard.push(`${change} nexthop ${id}`),
  };
  @Module({ name: 'route-log', version: '1.0.0', summary: 'writes down what becomes of routes', provides: [Listener] })
  class RouteLogModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      ctx.contribute(Listener, listener, 'corridor');
    }
  }

  const net = new Net();
  const host = await net.host('a');
  await net.run(host.kernel.load(RouteLogModule));
  host.addRoute('10.1.0.0/16', { dev: 'lo' });
  host.addRule({ priority: 5, table: 7 });
  host.setNextHop(3, { blackhole: true });
  host.removeRoute('10.1.0.0/16', { dev: 'lo' });
  expect(heard).toEqual(['add 10.1.0.0/16', 'add rule 5', 'add nexthop 3', 'remove 10.1.0.0/16']);
  await net.dispose();
});
