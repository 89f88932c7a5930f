import type { RxQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FEATURE, NetError } from '@softnet/contract';
import type { EthtoolAct } from './ethtool-act.ts';
import { isOn, noWords, numberOf, readPairs } from './ethtool-act.ts';

export const showRings: EthtoolAct = Object.freeze({
  flag: '-g',
  text: 'ring sizes, in packets, and whether headers are split from payload',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    const { name, rxQueues, txQueues, features } = device;
    const lines = (field: 'ringPackets' | 'maxRingPackets'): string[] => [
      `RX:\t\t${size(rxQueues, field)}`,
      `TX:\t\t${size(txQueues, field)}`,
    ];
    print(`Ring parameters for ${name}:`);
    for (const line of ['Pre-set maximums:', ...lines('maxRingPackets'), 'Current hardware settings:', ...lines('ringPackets')])
      print(line);
    print(`TCP data split:\t${(features & DEVICE_FEATURE.HEADER_SPLIT) === 0 ? 'off' : 'on'}`);
  },
} satisfies EthtoolAct);

export const setRings: EthtoolAct = Object.freeze({
  flag: '-G',
  text: 'set ring sizes; tcp-data-split: the payload of any protocol that is known lands on pages of its own',
  usage: '[rx N] [tx N] [tcp-data-split on|off]',
  run({ device, ethtool, devices, words }) {
    const pairs = readPairs(words, ['rx', 'tx', 'tcp-data-split']);
    const rxPackets = numberOf(pairs, 'rx');
    const txPackets = numberOf(pairs, 'tx');
    const split = pairs.get('tcp-data-split');
    const wanted = split !== undefined && isOn('tcp-data-split', split) ? DEVICE_FEATURE.HEADER_SPLIT : 0;
    const change = split === undefined ? 0 : (device.features ^ wanted) & DEVICE_FEATURE.HEADER_SPLIT;
    if ((change & ~device.hardwareFeatures) !== 0) {
      throw new NetError('EINVAL', `tcp-data-split of '${device.name}' is fixed: its driver cannot switch it`);
    }
    if (rxPackets !== undefined || txPackets !== undefined) {
      ethtool.setRings(device, { ...(rxPackets === undefined ? {} : { rxPackets }), ...(txPackets === undefined ? {} : { txPackets }) });
    }
    devices.setFeatures(device, device.features ^ change);
  },
} satisfies EthtoolAct);

/** All queues of a sort have the same. 0: no limit. */
function size(queues: readonly (RxQueue | TxQueue)[], field: 'ringPackets' | 'maxRingPackets'): string {
  const packets = queues[0]?.[field] ?? 0;
  return packets === 0 ? 'n/a' : String(packets);
}
