import type { Requirement } from '@softnet/contract';

/** Says what a module lacks: 'it requires Route, and route#1 is leaving'. */
export function lackOf({ requirement, leaving }: { requirement: Requirement; leaving: { readonly label: string } | undefined }): string {
  const { name } = requirement.token;
  return leaving === undefined ? `it requires ${name}, which nobody provides` : `it requires ${name}, and ${leaving.label} is leaving`;
}
