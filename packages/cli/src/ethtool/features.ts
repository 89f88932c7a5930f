import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, NetError } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { EthtoolAct } from './ethtool-act.ts';
import { isOn, noWords, readPairs } from './ethtool-act.ts';

/** A feature by Linux's name, and the short one of `-K`, if there is one. */
interface Feature {
  readonly name: string;
  readonly short?: string;
  readonly bits: number;
  /** One of those that stand for several: it is shown below that. */
  readonly part?: boolean;
}

const { GSO_TCPV4, GSO_TCPV6, GSO_TCP_ECN } = DEVICE_FEATURE;

/** In the order in which ethtool lists them. RX_GSO is Linux's LRO; GSO_ANY has no name there: bursts that are lists of packets come nearest. */
const FEATURES: readonly Feature[] = Object.freeze([
  { name: 'rx-checksumming', short: 'rx', bits: DEVICE_FEATURE.RX_CHECKSUM },
  { name: 'tx-checksumming', short: 'tx', bits: DEVICE_FEATURE.TX_CHECKSUM },
  { name: 'scatter-gather', short: 'sg', bits: DEVICE_FEATURE.SCATTER },
  { name: 'tcp-segmentation-offload', short: 'tso', bits: GSO_TCPV4 | GSO_TCPV6 | GSO_TCP_ECN },
  { name: 'tx-tcp-segmentation', bits: GSO_TCPV4, part: true },
  { name: 'tx-tcp-ecn-segmentation', bits: GSO_TCP_ECN, part: true },
  { name: 'tx-tcp6-segmentation', bits: GSO_TCPV6, part: true },
  { name: 'generic-receive-offload', short: 'gro', bits: DEVICE_FEATURE.GRO },
  { name: 'large-receive-offload', short: 'lro', bits: DEVICE_FEATURE.RX_GSO },
  { name: 'rx-vlan-offload', short: 'rxvlan', bits: DEVICE_FEATURE.VLAN_RX },
  { name: 'tx-vlan-offload', short: 'txvlan', bits: DEVICE_FEATURE.VLAN_TX },
  { name: 'ntuple-filters', short: 'ntuple', bits: DEVICE_FEATURE.FLOW_STEERING },
  { name: 'receive-hashing', short: 'rxhash', bits: DEVICE_FEATURE.RX_HASH },
  { name: 'tx-udp-segmentation', bits: DEVICE_FEATURE.GSO_UDP },
  { name: 'tx-udp_tnl-segmentation', bits: DEVICE_FEATURE.GSO_TUNNEL },
  { name: 'tx-gso-list', bits: DEVICE_FEATURE.GSO_ANY },
]);

/** Whatever a device does not cut, netdev does. */
const SOFTWARE_GSO = 'generic-segmentation-offload';
const BEHIND_TSO = 'tx-tcp6-segmentation';

/** Names that `-K` takes. */
export const featureNames: readonly string[] = Object.freeze(
  FEATURES.flatMap(({ name, short }) => (short === undefined ? [name] : [short, name])),
);

export const showFeatures: EthtoolAct = Object.freeze({
  flag: '-k',
  text: 'features: what the device does itself; [fixed] cannot be switched',
  usage: '',
  run(request) {
    noWords(request);
    const { device, print } = request;
    print(`Features for ${device.name}:`);
    for (const feature of FEATURES) {
      print(featureLine(device, feature));
      if (feature.name === BEHIND_TSO) print(`${SOFTWARE_GSO}: on [fixed]`);
    }
  },
} satisfies EthtoolAct);

export const setFeatures: EthtoolAct = Object.freeze({
  flag: '-K',
  text: "switch features by Linux's names, or its short ones (rx, tx, sg, tso, gro, lro, rxvlan, txvlan, ntuple, rxhash)",
  usage: 'FEATURE on|off ...',
  run({ device, devices, words }) {
    if (words.length === 0) throw new UsageError(`say which feature, and on or off: ${featureNames.join(', ')}`);
    let wanted = device.features;
    for (const [name, word] of readPairs(words, [...featureNames, 'gso', SOFTWARE_GSO])) {
      if (isSoftwareGso(device, name, word)) continue;
      const { bits } = FEATURES.find((each) => each.name === name || each.short === name)!;
      const to = isOn(name, word) ? wanted | bits : wanted & ~bits;
      wanted ^= changeable(device, name, wanted ^ to);
    }
    devices.setFeatures(device, wanted);
  },
} satisfies EthtoolAct);

/** It is on, and stays on. @throws NetError EINVAL where it is to be off. */
function isSoftwareGso({ name }: NetDevice, feature: string, word: string): boolean {
  if (feature !== 'gso' && feature !== SOFTWARE_GSO) return false;
  if (!isOn(feature, word)) throw new NetError('EINVAL', `${feature} of '${name}' is fixed: what a device does not cut, netdev does`);
  return true;
}

/** Of what is to change, what can be: of a name that stands for several, those that can. @throws NetError EINVAL where none can. */
function changeable({ name, hardwareFeatures }: NetDevice, feature: string, change: number): number {
  const can = change & hardwareFeatures;
  if (change === 0 || can !== 0) return can;
  throw new NetError('EINVAL', `${feature} of '${name}' is fixed: its driver cannot switch it`);
}

function featureLine({ features, hardwareFeatures }: NetDevice, { name, bits, part }: Feature): string {
  const on = (features & bits) !== 0 ? 'on' : 'off';
  const fixed = (hardwareFeatures & bits) === 0 ? ' [fixed]' : '';
  return `${part === true ? '\t' : ''}${name}: ${on}${fixed}`;
}
