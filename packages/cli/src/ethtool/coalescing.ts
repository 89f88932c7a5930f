import type { Coalescing, NetDevice, RxQueue, TxQueue } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { EthtoolAct, EthtoolRequest } from './ethtool-act.ts';
import { noWords, numberOf, readPairs } from './ethtool-act.ts';

const NAMES = Object.freeze(['rx-usecs', 'rx-frames', 'tx-usecs', 'tx-frames'] as const);

export const showCoalescing: EthtoolAct = Object.freeze({
  flag: '-c',
  text: 'interrupt moderation: queues are polled at the latest after so many µs or packets; 0: at once',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    print(`Coalesce parameters for ${device.name}:`);
    for (const line of parameters(device.rxQueues, device.txQueues)) print(line);
  },
} satisfies EthtoolAct);

export const setCoalescing: EthtoolAct = Object.freeze({
  flag: '-C',
  text: 'set it, of all queues',
  usage: '[rx-usecs N] [rx-frames N] [tx-usecs N] [tx-frames N]',
  run: (request) => set(request, request.words, request.device.rxQueues, request.device.txQueues),
} satisfies EthtoolAct);

/** What `-Q` does to each of the queues: `--show-coalesce`, or `--coalesce` with words as of `-C`. */
export const perQueue = Object.freeze({
  flag: '-Q',
  text: 'the same of single queues, with --show-coalesce or --coalesce; without `queue`: of each',
  usage: '[queue N[,N...]] --show-coalesce|--coalesce [rx-usecs N] ...',
  show({ device, words, print }: EthtoolRequest): void {
    const { queues, rest } = splitQueues(device, words);
    if (rest.length > 0) throw new UsageError(`what is '${rest[0]}'? Known here: queue`);
    for (const index of queues) {
      print(`Queue: ${index}`);
      for (const line of parameters(at(device.rxQueues, index), at(device.txQueues, index))) print(line);
    }
  },
  set(request: EthtoolRequest): void {
    const { device } = request;
    const { queues, rest } = splitQueues(device, request.words);
    set(
      request,
      rest,
      device.rxQueues.filter(({ index }) => queues.includes(index)),
      device.txQueues.filter(({ index }) => queues.includes(index)),
    );
  },
});

function set(
  { device, ethtool }: EthtoolRequest,
  words: readonly string[],
  rxQueues: readonly RxQueue[],
  txQueues: readonly TxQueue[],
): void {
  const pairs = readPairs(words, NAMES);
  const of = (way: 'rx' | 'tx'): Coalescing => {
    const us = numberOf(pairs, `${way}-usecs`);
    const packets = numberOf(pairs, `${way}-frames`);
    return { ...(us === undefined ? {} : { us }), ...(packets === undefined ? {} : { packets }) };
  };
  const [rx, tx] = [of('rx'), of('tx')];
  if (Object.keys(rx).length > 0) ethtool.setCoalescing(device, rxQueues, rx);
  if (Object.keys(tx).length > 0) ethtool.setCoalescing(device, txQueues, tx);
}

/** The queues that are named, or all. @throws UsageError for numbers of none. */
function splitQueues(
  { name, rxQueues, txQueues }: NetDevice,
  words: readonly string[],
): { queues: readonly number[]; rest: readonly string[] } {
  const count = Math.max(rxQueues.length, txQueues.length);
  if (words[0] !== 'queue') return { queues: Array.from({ length: count }, (_, index) => index), rest: words };
  const queues = (words[1] ?? '').split(',');
  const wrong = queues.find((word) => !/^\d{1,5}$/.test(word) || Number(word) >= count);
  if (wrong !== undefined) throw new UsageError(`queue takes numbers from 0 to ${count - 1} (queues of '${name}'), got '${wrong}'`);
  return { queues: queues.map(Number), rest: words.slice(2) };
}

function parameters(rxQueues: readonly RxQueue[], txQueues: readonly TxQueue[]): string[] {
  return [
    `rx-usecs:\t${common(rxQueues, 'coalesceUs')}`,
    `rx-frames:\t${common(rxQueues, 'coalescePackets')}`,
    `tx-usecs:\t${common(txQueues, 'coalesceUs')}`,
    `tx-frames:\t${common(txQueues, 'coalescePackets')}`,
  ];
}

/** What all of them have. */
function common(queues: readonly (RxQueue | TxQueue)[], field: 'coalesceUs' | 'coalescePackets'): string {
  if (queues.length === 0) return 'n/a';
  const values = queues.map((queue) => queue[field]);
  return values.every((value) => value === values[0]) ? String(values[0]) : 'of each queue its own: see -Q';
}

function at<Q>(queues: readonly Q[], index: number): readonly Q[] {
  return queues.slice(index, index + 1);
}
