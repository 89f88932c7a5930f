import { Devices, Ethtool } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { setChannels, showChannels } from '../ethtool/channels.ts';
import { perQueue, setCoalescing, showCoalescing } from '../ethtool/coalescing.ts';
import type { EthtoolAct, EthtoolRequest } from '../ethtool/ethtool-act.ts';
import { featureNames, setFeatures, showFeatures } from '../ethtool/features.ts';
import { changeRules, showRules } from '../ethtool/flow-rules.ts';
import { driverInfo, showOverview } from '../ethtool/overview.ts';
import { setRings, showRings } from '../ethtool/rings.ts';
import { setSpread, showSpread } from '../ethtool/spread.ts';
import { showStatistics } from '../ethtool/statistics.ts';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { UsageError } from '../usage-error.ts';

const ACTS: readonly EthtoolAct[] = Object.freeze([
  ...[driverInfo, showFeatures, setFeatures, showRings, setRings, showCoalescing, setCoalescing],
  ...[showChannels, setChannels, showSpread, setSpread, showRules, changeRules, showStatistics],
]);
const FLAGS: readonly string[] = Object.freeze([...ACTS.map(({ flag }) => flag), perQueue.flag]);

/** Long options, as ethtool has them. `--coalesce` and `--show-coalesce` are of -Q as well: see {@link runPerQueue}. */
const LONG: Readonly<Record<string, string>> = Object.freeze({
  ...{ '--driver': '-i', '--statistics': '-S', '--per-queue': '-Q' },
  ...{ '--show-features': '-k', '--show-offload': '-k', '--features': '-K', '--offload': '-K' },
  ...{ '--show-ring': '-g', '--set-ring': '-G', '--show-channels': '-l', '--set-channels': '-L' },
  ...{ '--show-rxfh': '-x', '--show-rxfh-indir': '-x', '--rxfh': '-X', '--set-rxfh-indir': '-X' },
  ...{ '-u': '-n', '--show-nfc': '-n', '--show-ntuple': '-n', '-U': '-N', '--config-nfc': '-N', '--config-ntuple': '-N' },
});

export const ethtool: SessionCommand = Object.freeze({
  name: 'ethtool',
  parameters: '<device> [words...]',
  options: [
    ...ACTS.map(({ flag, text }) => [flag, text] as const),
    [perQueue.flag, perQueue.text],
    ['--show-coalesce', 'with -Q: show; alone: -c'],
    ['--coalesce', 'with -Q: set; alone: -C'],
  ],
  spellings: LONG,
  summary: "show and set what devices do, in ethtool's words: features, rings, moderation, channels, RSS, flow rules, statistics",
  details: [
    'ethtool DEVICE',
    ...[...ACTS, perQueue].map(({ flag, usage }) => `ethtool ${flag} DEVICE ${usage}`.trimEnd()),
    "ethtool's long options are understood too: --show-features, --set-ring, --statistics ...",
  ],
  completes: ({ kernel }, index) =>
    index === 0 ? new NetHost(kernel).devices.map(({ name }) => `${name} `) : [...featureNames, 'on', 'off'],
  run(session, given) {
    const flags = FLAGS.filter((flag) => given.options[flag.slice(1)] === true);
    if (flags.length > 1) throw new UsageError(`one at a time: ${flags.join(' or ')}`);
    const request = requestOf(session, given);
    if (flags[0] === perQueue.flag) return runPerQueue(request, given);
    const act = ACTS.find(({ flag }) => flag === (flags[0] ?? longCoalesce(given)));
    if (act === undefined) showOverview(request);
    else act.run(request);
  },
} satisfies SessionCommand);

function requestOf({ kernel, output }: Session, { words }: Given): EthtoolRequest {
  return {
    kernel,
    device: new NetHost(kernel).device(words[0]!),
    words: words.slice(1),
    ethtool: kernel.port(Ethtool).current,
    devices: kernel.port(Devices).current,
    print: (line) => output.print(line),
  };
}

/** Without -Q they are of all queues at once. */
function longCoalesce({ options }: Given): string | undefined {
  if (options.coalesce === true) return setCoalescing.flag;
  return options.showCoalesce === true ? showCoalescing.flag : undefined;
}

function runPerQueue(request: EthtoolRequest, { options }: Given): void {
  if ((options.coalesce === true) === (options.showCoalesce === true)) {
    throw new UsageError(`-Q wants either --show-coalesce or --coalesce: ethtool -Q DEVICE ${perQueue.usage}`);
  }
  if (options.coalesce === true) perQueue.set(request);
  else perQueue.show(request);
}
