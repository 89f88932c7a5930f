import type { NetDevice } from '@softnet/contract';
import { ADDRESS_FAMILY, JoinedGroups, LinkGroups } from '@softnet/contract';
import { formatAddress, formatMac, parseMac } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';

/** `ip maddr`: groups that this host is in, and link addresses that devices listen to. Those can be set by hand, groups are joined by programs. */
export const ipMaddr: IpObject = Object.freeze({
  names: ['maddress'],
  usage: ['maddr [show] [[dev] DEVICE]', 'maddr add MAC dev DEVICE', 'maddr del MAC dev DEVICE'],
  verbs: {
    show,
    list: show,
    add: (request) => change(request, true),
    delete: (request) => change(request, false),
  },
} satisfies IpObject);

function show({ host, family, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const name = by.dev ?? rest[0];
  for (const device of name === undefined ? host.devices : [host.device(name)]) {
    print(`${device.ifindex}:\t${device.name}`);
    if (family === undefined) for (const { address, users } of device.groups) print(`\tlink  ${formatMac(address)}${usersText(users)}`);
    for (const line of groupLines(host, device, family)) print(line);
  }
}

function groupLines({ kernel }: IpRequest['host'], device: NetDevice, family: number | undefined): string[] {
  const joined = kernel.contributions(JoinedGroups).items.filter((each) => family === undefined || each.family === family);
  return [...joined]
    .sort((a, b) => a.family - b.family)
    .flatMap((each) => each.list().map((group) => ({ ...group, family: each.family })))
    .filter((each) => each.device === device)
    .map((each) => {
      const [word0, word1, word2, word3] = each.group;
      const word = each.family === ADDRESS_FAMILY.INET ? 'inet ' : 'inet6';
      return `\t${word} ${formatAddress(each.family, word0, word1, word2, word3)}${usersText(each.users)}`;
    });
}

function change({ host, words }: IpRequest, adds: boolean): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const text = wanted(rest[0], 'MAC');
  const address = parseMac(text);
  if (address === null) throw new UsageError(`'${text}' is no link address: write 01:00:5e:00:00:01; groups are joined by programs`);
  const device = host.device(wanted(by.dev, 'dev DEVICE'));
  const groups = host.kernel.port(LinkGroups).current;
  if (adds) groups.add(device, address);
  else groups.remove(device, address);
}

function usersText(users: number): string {
  return users === 1 ? '' : ` users ${users}`;
}
