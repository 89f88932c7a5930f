import type { NetDevice } from '@softnet/contract';
import { NetError, RSS_ENTRIES, RSS_KEY_BYTES } from '@softnet/contract';
import { linkAddress } from '../ip/link-lines.ts';
import { UsageError } from '../usage-error.ts';
import type { EthtoolAct } from './ethtool-act.ts';
import { noWords } from './ethtool-act.ts';

const COLUMNS = 8;
const USAGE = '[hkey XX:XX:...] [equal N | weight W0 W1 ... | default]';

export const showSpread: EthtoolAct = Object.freeze({
  flag: '-x',
  text: 'RSS: which receive queue is whose, by the hash of the flow; and the key of that',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    const { name, rss, rxQueues } = device;
    if (rss === null)
      throw new NetError('EOPNOTSUPP', `'${name}' does not spread flows over its receive queues (it has ${rxQueues.length})`);
    print(`RX flow hash indirection table for ${name} with ${rxQueues.length} RX ring(s):`);
    for (let from = 0; from < rss.indirection.length; from += COLUMNS) {
      const row = Array.from(rss.indirection.subarray(from, from + COLUMNS), (queue) => String(queue).padStart(5));
      print(`${String(from).padStart(5)}: ${row.join(' ')}`);
    }
    for (const line of ['RSS hash key:', linkAddress(rss.key), 'RSS hash function:', '    toeplitz: on']) print(line);
  },
} satisfies EthtoolAct);

export const setSpread: EthtoolAct = Object.freeze({
  flag: '-X',
  text: 'set the key, and the table: evenly over the first N queues, by weights, or evenly over all',
  usage: USAGE,
  run({ device, ethtool, words }) {
    const withKey = words[0] === 'hkey';
    const key = withKey ? keyOf(words[1]) : null;
    const rest = withKey ? words.slice(2) : words;
    if (!withKey && rest.length === 0) throw new UsageError(`say what to set: ${USAGE}`);
    ethtool.setSpread(device, key, tableOf(device, rest));
  },
} satisfies EthtoolAct);

/** The key alone leaves the table as it is. Null: evenly over all. */
function tableOf(device: NetDevice, [how, ...words]: readonly string[]): readonly number[] | null {
  const { rss } = device;
  const entries = rss?.indirection.length ?? RSS_ENTRIES;
  if (how === undefined) return rss === null ? null : [...rss.indirection];
  if (how === 'default' && words.length === 0) return null;
  if (how === 'equal' && words.length === 1) {
    const count = counts(words, device)[0]!;
    if (count < 1) throw new UsageError('equal takes how many queues, from the first: 1 and more');
    return Array.from({ length: entries }, (_, entry) => entry % count);
  }
  if (how === 'weight' && words.length > 0) return weighted(counts(words, device), entries);
  throw new UsageError(`what is '${[how, ...words].join(' ')}'? Known here: ${USAGE}`);
}

function counts(words: readonly string[], { name, rxQueues }: NetDevice): number[] {
  const wrong = words.find((word) => !/^\d{1,6}$/.test(word));
  if (wrong !== undefined) throw new UsageError(`'${wrong}' is no whole number`);
  const most = rxQueues.length;
  if (words.length > most) throw new UsageError(`weight takes one for each queue, and '${name}' has ${most}`);
  return words.map(Number);
}

/** Queue by queue, each as many entries as its share of the weights. */
function weighted(weights: readonly number[], entries: number): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (sum === 0) throw new UsageError('weight takes at least one that is not 0');
  let queue = -1;
  let upTo = 0;
  return Array.from({ length: entries }, (_, entry) => {
    while (entry >= Math.round((entries * upTo) / sum)) upTo += weights[++queue]!;
    return queue;
  });
}

function keyOf(word = ''): Uint8Array {
  if (new RegExp(`^([0-9a-f]{2}:){${RSS_KEY_BYTES - 1}}[0-9a-f]{2}$`, 'i').test(word)) {
    return Uint8Array.from(word.split(':'), (byte) => Number.parseInt(byte, 16));
  }
  throw new UsageError(`hkey takes ${RSS_KEY_BYTES} bytes like 6d:5a:..., got '${word}'`);
}
