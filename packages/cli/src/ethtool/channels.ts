import { UsageError } from '../usage-error.ts';
import type { EthtoolAct } from './ethtool-act.ts';
import { noWords, numberOf, readPairs } from './ethtool-act.ts';

export const showChannels: EthtoolAct = Object.freeze({
  flag: '-l',
  text: 'how many queues there are, and may be',
  usage: '',
  run(request) {
    noWords(request);
    const { name, rxQueues, txQueues, maxRxQueues, maxTxQueues } = request.device;
    const lines = (rx: number, tx: number): string[] => [`RX:\t\t${rx}`, `TX:\t\t${tx}`, 'Other:\t\tn/a', 'Combined:\tn/a'];
    for (const line of [
      `Channel parameters for ${name}:`,
      'Pre-set maximums:',
      ...lines(Math.max(maxRxQueues, rxQueues.length), Math.max(maxTxQueues, txQueues.length)),
      'Current hardware settings:',
      ...lines(rxQueues.length, txQueues.length),
    ]) {
      request.print(line);
    }
  },
} satisfies EthtoolAct);

export const setChannels: EthtoolAct = Object.freeze({
  flag: '-L',
  text: 'set how many; a device that is up goes down and up for it',
  usage: '[rx N] [tx N] [combined N]',
  run({ device, ethtool, words }) {
    const pairs = readPairs(words, ['rx', 'tx', 'combined']);
    const both = numberOf(pairs, 'combined');
    const [rx, tx] = [numberOf(pairs, 'rx') ?? both, numberOf(pairs, 'tx') ?? both];
    if (both !== undefined && pairs.size > 1) throw new UsageError('combined sets both ways: rx and tx do not stand beside it');
    ethtool.setChannels(device, { ...(rx === undefined ? {} : { rx }), ...(tx === undefined ? {} : { tx }) });
  },
} satisfies EthtoolAct);
