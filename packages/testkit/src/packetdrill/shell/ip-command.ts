import { RouteTables } from '@softnet/contract';
import type { NetHost } from '../../net/net-host.ts';
import type { RouteWords } from '../../net/routing-words.ts';
import { routeOf } from '../../net/routing-words.ts';
import { ScriptFailure } from '../system/script-failure.ts';

/** What `ip` does, done to the kernel under test. @throws ScriptFailure for what is not known, NetError as the kernel says it. */
export function ipCommand(host: NetHost, all: readonly string[]): undefined {
  const [object = '', verb = '', ...words] = all.filter((word) => word !== '-6' && word !== '-4');
  const name = `ip ${object} ${verb}`;
  if (/^ip (?:l|link) set$/.test(name)) link(host, words);
  else if (/^ip (?:r|ro|route) (?:add|replace|change|del|delete|append)$/.test(name)) route(host, verb, words, all.includes('-6'));
  else if (/^ip (?:a|addr|address) (?:add|del)$/.test(name)) address(host, verb, words);
  // This kernel keeps none between connections, nor a cache of routes.
  else if (name === 'ip tcp_metrics flush' || /^ip (?:r|ro|route) flush$/.test(name)) flush(name, words);
  else throw new ScriptFailure(`'${name}' is not known: there are ip link set, ip route, ip addr, ip tcp_metrics flush`);
}

function flush(name: string, words: readonly string[]): void {
  if (name === 'ip tcp_metrics flush' || words.join(' ') === 'cache') return;
  throw new ScriptFailure(`'${name} ${words.join(' ')}' is not known: there is ip route flush cache`);
}

function link(host: NetHost, given: readonly string[]): void {
  const words = given.filter((word) => word !== 'dev');
  const [device = '', ...rest] = words;
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === 'up') host.up(device);
    else if (rest[i] === 'down') host.down(device);
    else if (rest[i] === 'mtu') host.setMtu(device, Number(rest[++i]));
    else throw new ScriptFailure(`ip link set: '${rest[i]}' is not known: there are up, down, mtu`);
  }
}

function route(host: NetHost, verb: string, [prefix = '', ...words]: readonly string[], isIpv6: boolean): void {
  const route: { -readonly [name in keyof RouteWords]: RouteWords[name] } = {};
  for (let i = 0; i < words.length; i += 2) {
    const [name, value = ''] = [words[i], words[i + 1]];
    if (name === 'via') route.via = value;
    else if (name === 'dev') route.dev = value;
    else if (name === 'src') route.src = value;
    else if (name === 'mtu' && value === 'lock') throw new ScriptFailure("ip route: 'mtu lock' is not known");
    else if (name === 'mtu') route.mtu = Number(value);
    else if (name === 'metric') route.metric = Number(value);
    else throw new ScriptFailure(`ip route: '${name}' is not known: there are via, dev, src, mtu, metric`);
  }
  // No link has a next hop here: the gateway would be asked by nobody.
  if (route.dev !== undefined) delete route.via;
  const entry = routeOf(host, prefix === 'default' && isIpv6 ? '::/0' : prefix, route);
  const tables = host.kernel.port(RouteTables).current;
  if (verb === 'del' || verb === 'delete') tables.remove(entry);
  else if (verb === 'replace' || verb === 'change') tables.replace(entry);
  else tables.add(entry);
}

function address(host: NetHost, verb: string, [prefix = '', ...words]: readonly string[]): void {
  const [word, device] = words;
  if (word !== 'dev' || device === undefined) throw new ScriptFailure(`ip addr ${verb} takes PREFIX dev DEVICE, got '${words.join(' ')}'`);
  if (verb === 'add') host.addAddress(device, prefix);
  else host.removeAddress(device, prefix);
}
