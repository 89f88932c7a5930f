import type { Suite, Work } from './work.ts';

/**
 * The works that are named: by suite, by work, or by the beginning of works' names (`timer-*`); all when nothing is named.
 * In the order of the suites, each once.
 * @throws Error with what there is, for a name that is none of these.
 */
export function selectWorks(suites: readonly Suite[], names: readonly string[]): Work[] {
  const all = suites.flatMap(({ works }) => works);
  if (names.length === 0) return all;
  const selected = new Set<Work>();
  for (const name of names) {
    const works = worksNamed(suites, all, name);
    if (works.length === 0) throw new Error(`no suite or work is named '${name}'; there are:\n${catalogue(suites)}`);
    for (const work of works) selected.add(work);
  }
  return all.filter((work) => selected.has(work));
}

function worksNamed(suites: readonly Suite[], all: readonly Work[], name: string): readonly Work[] {
  const suite = suites.find((each) => each.name === name);
  if (suite !== undefined) return suite.works;
  if (name.endsWith('*')) return all.filter((work) => work.name.startsWith(name.slice(0, -1)));
  return all.filter((work) => work.name === name);
}

/** All suites and works, for `--list` and errors. */
export function catalogue(suites: readonly Suite[]): string {
  const width = Math.max(0, ...suites.flatMap(({ works }) => works.map(({ name }) => name.length)));
  const blocks = suites.map(({ name, works }) => {
    const lines = works.map((work) => `  ${work.name.padEnd(width)}  ${work.summary}`);
    return [`${name}:`, ...lines].join('\n');
  });
  return blocks.join('\n');
}
