import type { Requirement } from '@softnet/contract';
import type { Known } from '../load/requirements.ts';
import { meets } from '../load/requirements.ts';
import { isLeaving } from './states.ts';

/** Those who need `provider` while they are there, and whom nobody else who is live serves. */
export function directDependents<K extends Known>(provider: K, all: readonly K[]): K[] {
  return all.filter((other) => other !== provider && hardRequirements(other).some((need) => hangsOn(need, other, provider, all)));
}

/** A requirement of `of` that no live module (nor one of `returning`) meets, with who meets it but leaves; undefined when all are met. */
export function unmet<K extends Known>(
  of: K,
  all: readonly K[],
  returning: ReadonlySet<K> = new Set(),
): { readonly requirement: Requirement; readonly leaving: K | undefined } | undefined {
  for (const requirement of hardRequirements(of)) {
    const meeting = all.filter((other) => other !== of && meets(other, requirement));
    if (meeting.some((other) => other.state === 'live' || returning.has(other))) continue;
    return { requirement, leaving: meeting.find(({ state }) => state !== 'offered' && isLeaving(state)) };
  }
  return undefined;
}

/** 'Route, which route#1 provides, but it is leaving': for sentences about {@link unmet}. */
export function lackOf({ requirement, leaving }: { requirement: Requirement; leaving: { readonly label: string } | undefined }): string {
  const { name } = requirement.token;
  return leaving === undefined ? `it requires ${name}, which nobody provides` : `it requires ${name}, and ${leaving.label} is leaving`;
}

function hardRequirements({ manifest }: Known): Requirement[] {
  return manifest.requires.filter(({ need }) => need !== 'optional');
}

/** Is this requirement of `of` met by `provider`, and by no other that stays? */
function hangsOn<K extends Known>(requirement: Requirement, of: K, provider: K, all: readonly K[]): boolean {
  if (!meets(provider, requirement)) return false;
  return !all.some((other) => other !== provider && other !== of && other.state === 'live' && meets(other, requirement));
}
