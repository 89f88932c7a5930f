import type { InterfaceAddress, NetDevice } from '@softnet/contract';
import { NetworkLayer } from '@softnet/contract';
import { formatPrefix } from '@softnet/wire';
import { addressLines } from './address-lines.ts';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed, wanted } from './ip-object.ts';
import { linkLines, statisticsLines } from './link-lines.ts';

/** `ip addr`: addresses of devices. */
export const ipAddr: IpObject = Object.freeze({
  names: ['address'],
  usage: ['addr [show] [[dev] DEVICE]', 'addr add PREFIX dev DEVICE', 'addr del PREFIX dev DEVICE', 'addr flush dev DEVICE'],
  verbs: {
    show,
    list: show,
    add: (request) => change(request, (device, prefix) => request.host.addAddress(device, prefix)),
    delete: (request) => change(request, (device, prefix) => request.host.removeAddress(device, prefix)),
    flush,
  },
} satisfies IpObject);

function show({ host, family, statistics, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const name = by.dev ?? rest[0];
  const devices = name === undefined ? host.devices : [host.device(name)];
  for (const device of devices) {
    const addresses = addressesOf(host, device, family);
    // As `ip -6 addr` has it: devices that have one of that family.
    if (family !== undefined && addresses.length === 0) continue;
    for (const line of linkLines(device)) print(line);
    for (const address of addresses) for (const line of addressLines(address, host.kernel.clock.nowUs / 1000)) print(line);
    if (statistics) for (const line of statisticsLines(device)) print(line);
  }
}

function flush(request: IpRequest): void {
  const { host, family } = request;
  const { rest, by } = readKeyed(request.words, ['dev'], 1);
  const device = host.device(wanted(by.dev ?? rest[0], 'dev DEVICE'));
  for (const { family: own, address, prefixLen } of addressesOf(host, device, family)) {
    host.removeAddress(device.name, formatPrefix({ family: own, words: address, prefixLen }));
  }
}

/** All addresses of a device, IPv4 first. */
function addressesOf(host: IpRequest['host'], device: NetDevice, family: number | undefined): InterfaceAddress[] {
  const layers = host.kernel.contributions(NetworkLayer).items.filter((layer) => family === undefined || layer.family === family);
  const all = [...layers].sort((a, b) => a.family - b.family).flatMap((layer) => [...layer.addresses]);
  return all.filter((address) => address.device === device);
}

function change({ words }: IpRequest, then: (device: string, prefix: string) => void): void {
  const { rest, by } = readKeyed(words, ['dev'], 1);
  const prefix = wanted(rest[0], 'PREFIX, such as 192.0.2.1/24,');
  then(wanted(by.dev, 'dev DEVICE'), prefix);
}
