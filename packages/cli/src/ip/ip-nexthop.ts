import type { NextHopMember, NextHopObject, ResilientGroup } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, NextHops, Route } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest, KeyedWords } from './ip-object.ts';
import { anyNumber, named, readKeyed, takeFlag, wanted, wholeNumber } from './ip-object.ts';
import { BY_HAND, sourceNumber } from './names.ts';
import { nextHopLine } from './next-hop-line.ts';
import { deviceNameOf, wayOf, withoutFamilies } from './route-words.ts';

const KEYS = Object.freeze(['id', 'via', 'dev', 'group', 'type', 'buckets', 'idle_timer', 'unbalanced_timer', 'proto']);

/** `ip nexthop`: ways by number, for any number of routes. */
export const ipNexthop: IpObject = Object.freeze({
  names: ['nexthop'],
  usage: [
    'nexthop [show] [id N] [dev DEVICE]',
    'nexthop add|replace id N [via GATEWAY] dev DEVICE [onlink] [proto P]',
    'nexthop add|replace id N blackhole',
    'nexthop add|replace id N group ID[,WEIGHT]/ID[,WEIGHT]... [type resilient [buckets N] [idle_timer S] [unbalanced_timer S]]',
    'nexthop del id N',
    'nexthop flush [id N] [dev DEVICE]',
  ],
  verbs: {
    show,
    list: show,
    get: show,
    add: (request) => nextHops(request).add(read(request)),
    replace: (request) => nextHops(request).replace(read(request)),
    delete: remove,
    flush,
  },
} satisfies IpObject);

function nextHops({ host }: IpRequest): NextHops {
  return host.kernel.port(NextHops).current;
}

function show(request: IpRequest): void {
  for (const object of chosen(request)) request.print(nextHopLine(object, deviceNameOf(request)));
}

/** @throws NetError ENOENT where one is asked for that is not there. */
function chosen({ host, words }: IpRequest): readonly NextHopObject[] {
  const { by } = readKeyed(words, ['id', 'dev'], 0);
  const id = by.id === undefined ? undefined : anyNumber(by.id, 'id');
  const ifindex = by.dev === undefined ? undefined : host.device(by.dev).ifindex;
  const found = host.kernel
    .port(Route)
    .current.nextHops()
    .filter((object) => (id === undefined || object.id === id) && (ifindex === undefined || object.hop?.ifindex === ifindex));
  if (id !== undefined && found.length === 0)
    throw new NetError('ENOENT', `there is no next hop ${id}: 'ip nexthop' lists those that there are`);
  return found;
}

/** Groups first: those that are left go with their last member. */
function flush(request: IpRequest): void {
  const found = chosen(request);
  for (const { id } of [...found].sort((a, b) => Number(a.group === undefined) - Number(b.group === undefined)))
    nextHops(request).remove(id);
}

function remove(request: IpRequest): void {
  const { by } = readKeyed(request.words, ['id'], 0);
  nextHops(request).remove(anyNumber(wanted(by.id, 'id N'), 'id'));
}

function read(request: IpRequest): NextHopObject {
  const { words: most, given: blackhole } = takeFlag(withoutFamilies(request.words), 'blackhole');
  const { words, given: onLink } = takeFlag(most, 'onlink');
  const keyed = readKeyed(words, KEYS, 0);
  const { by } = keyed;
  const hop = wayOf(request, keyed, onLink);
  const group = by.group?.split('/').map(memberOf);
  if (!blackhole && hop === undefined && group === undefined)
    throw new UsageError('via GATEWAY, dev DEVICE, blackhole or group is missing');
  return {
    id: anyNumber(wanted(by.id, 'id N'), 'id'),
    family: group === undefined ? (hop?.gateway?.family ?? request.family ?? ADDRESS_FAMILY.INET) : 0,
    source: by.proto === undefined ? BY_HAND : named(by.proto, sourceNumber(by.proto), 'proto takes boot, static, kernel or a number'),
    ...(hop === undefined ? {} : { hop }),
    ...(blackhole ? { blackhole } : {}),
    ...(group === undefined ? {} : { group }),
    ...(by.type === undefined ? {} : resilientOf(keyed)),
  };
}

function memberOf(text: string): NextHopMember {
  const [id, weight] = text.split(',') as [string, string?];
  return { id: anyNumber(id, 'group'), ...(weight === undefined ? {} : { weight: wholeNumber(weight, 'a weight') }) };
}

function resilientOf({ by }: KeyedWords): { readonly resilient?: ResilientGroup } {
  if (by.type === 'mpath') return {};
  if (by.type !== 'resilient') throw new UsageError(`type takes mpath or resilient, got '${by.type}'`);
  return {
    resilient: {
      ...(by.buckets === undefined ? {} : { buckets: wholeNumber(by.buckets, 'buckets') }),
      ...(by.idle_timer === undefined ? {} : { idleMs: wholeNumber(by.idle_timer, 'idle_timer') * 1000 }),
      ...(by.unbalanced_timer === undefined ? {} : { unbalancedMs: wholeNumber(by.unbalanced_timer, 'unbalanced_timer') * 1000 }),
    },
  };
}
