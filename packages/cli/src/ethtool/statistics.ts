import type { DeviceStats } from '@softnet/contract';
import type { EthtoolAct } from './ethtool-act.ts';
import { noWords } from './ethtool-act.ts';

/** As Linux's drivers name them. */
const NAMES: readonly (readonly [string, keyof DeviceStats])[] = Object.freeze([
  ['rx_packets', 'rxPackets'],
  ['tx_packets', 'txPackets'],
  ['rx_bytes', 'rxBytes'],
  ['tx_bytes', 'txBytes'],
  ['rx_errors', 'rxErrors'],
  ['tx_errors', 'txErrors'],
  ['rx_dropped', 'rxDropped'],
  ['tx_dropped', 'txDropped'],
  ['multicast', 'multicast'],
  ['rx_missed_errors', 'rxMissed'],
]);

export const showStatistics: EthtoolAct = Object.freeze({
  flag: '-S',
  text: 'statistics, also of each queue',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    const { stats, rxQueues, txQueues } = device;
    print('NIC statistics:');
    const lines: [string, number][] = [
      ...NAMES.map(([name, field]): [string, number] => [name, stats[field]]),
      ...rxQueues.flatMap(({ index, packets, bytes, dropped }): [string, number][] => [
        [`rx_queue_${index}_packets`, packets],
        [`rx_queue_${index}_bytes`, bytes],
        [`rx_queue_${index}_dropped`, dropped],
      ]),
      ...txQueues.flatMap(({ index, packets, bytes }): [string, number][] => [
        [`tx_queue_${index}_packets`, packets],
        [`tx_queue_${index}_bytes`, bytes],
      ]),
    ];
    for (const [name, value] of lines) print(`     ${name}: ${value}`);
  },
} satisfies EthtoolAct);
