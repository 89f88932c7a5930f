import { isRunning } from '@softnet/contract';
import type { EthtoolAct, EthtoolRequest } from './ethtool-act.ts';
import { noWords } from './ethtool-act.ts';

/** `ethtool DEVICE`: nothing here has a speed. */
export function showOverview(request: EthtoolRequest): void {
  noWords(request);
  const { device, print } = request;
  const { name, kind, rxQueues, txQueues } = device;
  print(`Settings for ${name}:`);
  for (const line of [
    'Speed: Unknown!',
    'Duplex: Unknown! (255)',
    'Auto-negotiation: off',
    `Port: Other (${kind})`,
    `Channels: ${rxQueues.length} receive, ${txQueues.length} transmit`,
    `Link detected: ${device.carrier ? 'yes' : 'no'}`,
    ...(device.carrier && !isRunning(device) ? [`Running: no (${device.dormant ? 'dormant' : 'down'})`] : []),
  ]) {
    print(`\t${line}`);
  }
}

/** `-i`: the module that works the device. */
export const driverInfo: EthtoolAct = Object.freeze({
  flag: '-i',
  text: 'the driver',
  usage: '',
  run(request) {
    noWords(request);
    const { device, kernel, print } = request;
    const { kind, ops, holdKind } = device;
    const module = kernel.modules().find((each) => `${each.name}#${each.generation}` === holdKind?.module);
    const supports = (what: string, call: object | undefined): string => `supports-${what}: ${call === undefined ? 'no' : 'yes'}`;
    for (const line of [
      `driver: ${kind}`,
      `version: ${module?.version ?? ''}`,
      `bus-info: ${holdKind?.module ?? ''}`,
      'supports-statistics: yes',
      supports('rings', ops.setRings),
      supports('coalescing', ops.setCoalescing),
      supports('channels', ops.setChannels),
      supports('rss', ops.setSpread),
      supports('flow-rules', ops.setFlowRules),
    ]) {
      print(line);
    }
  },
} satisfies EthtoolAct);
