import type { PortRange, RoutingRule, RulePrefix } from '@softnet/contract';
import { RULE_ACTION } from '@softnet/contract';
import { addressBits, formatAddress, formatPrefix } from '@softnet/wire';
import { BY_HAND, sourceName, tableName } from './names.ts';
import { actionName, protocolName } from './read-rule.ts';
import { realmsText } from './route-words.ts';

/** RTPROT_KERNEL: what is there from the start. */
const KERNEL = 2;

/** What a rule names may be missing. */
export interface RuleLook {
  hasDevice(name: string): boolean;
  hasPriority(priority: number): boolean;
}

/** A rule as `ip rule` shows it. */
export function ruleLine(rule: RoutingRule, look: RuleLook): string {
  const { family, priority, not, from, to, tos = 0, mark, markMask = -1, iif, oif, uids, ipProtocol = 0, srcPorts, dstPorts } = rule;
  const mask = markMask | 0;
  const parts = [
    ...(not ? ['not'] : []),
    ...['from', prefixText(family, from)],
    ...(to === undefined || to.prefixLen === 0 ? [] : ['to', prefixText(family, to)]),
    ...(tos === 0 ? [] : ['tos', `0x${tos.toString(16).padStart(2, '0')}`]),
    ...(mark === undefined ? [] : ['fwmark', mask === -1 ? hex(mark) : `${hex(mark)}/${hex(mask)}`]),
    ...deviceParts('iif', iif, look),
    ...deviceParts('oif', oif, look),
    ...(uids === undefined ? [] : ['uidrange', `${uids.first}-${uids.last}`]),
    ...(ipProtocol === 0 ? [] : ['ipproto', protocolName(ipProtocol)]),
    ...(srcPorts === undefined ? [] : ['sport', rangeText(srcPorts)]),
    ...(dstPorts === undefined ? [] : ['dport', rangeText(dstPorts)]),
    ...actionParts(rule, look),
    ...(rule.source === KERNEL || rule.source === BY_HAND ? [] : ['proto', sourceName(rule.source)]),
  ];
  return `${priority}:\t${parts.join(' ')}`;
}

function actionParts(rule: RoutingRule, look: RuleLook): string[] {
  const { action, table = 0, suppressPrefixLen, realms = 0, goto = 0 } = rule;
  const isTable = action === RULE_ACTION.TABLE;
  const name = actionName(action);
  return [
    ...(isTable ? ['lookup', tableName(table)] : []),
    ...(isTable && suppressPrefixLen !== undefined ? ['suppress_prefixlength', String(suppressPrefixLen)] : []),
    ...(realms === 0 ? [] : ['realms', realmsText(realms)]),
    ...(action === RULE_ACTION.GOTO ? ['goto', String(goto), ...(look.hasPriority(goto) ? [] : ['[unresolved]'])] : []),
    ...(name === undefined ? [] : [name]),
  ];
}

function deviceParts(key: string, name: string | undefined, look: RuleLook): string[] {
  if (!name) return [];
  return [key, name, ...(look.hasDevice(name) ? [] : ['[detached]'])];
}

function prefixText(family: number, prefix: RulePrefix | undefined): string {
  if (prefix === undefined || prefix.prefixLen === 0) return 'all';
  const { address, prefixLen } = prefix;
  return prefixLen === addressBits(family) ? formatAddress(family, ...address) : formatPrefix({ family, words: address, prefixLen });
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function hex(number: number): string {
  return `0x${(number >>> 0).toString(16)}`;
}
