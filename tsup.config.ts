import { existsSync, readdirSync } from 'node:fs';
import type { Options } from 'tsup';
import { defineConfig } from 'tsup';

/** Entries beside `src/index.ts`, by package. */
const furtherEntries: Record<string, string[]> = {
  kernel: ['node'],
  'nic-driver': ['node'],
  testkit: ['node', 'packetdrill'],
};

const common: Options = {
  format: 'esm',
  target: 'node20',
  platform: 'node',
  tsconfig: 'tsconfig.base.json',
  sourcemap: true,
  minify: false,
  removeNodeProtocol: false,
  // Declarations come from `tsc -b`, and lie beside the JavaScript: so nothing is cleaned here (scripts/ensure.mjs removes what is stale).
  dts: false,
  clean: false,
  // Every package stays a package: nothing from another one is bundled in.
  skipNodeModulesBundle: true,
  silent: true,
};

function packageBuild(name: string): Options {
  const entries = ['index', ...(furtherEntries[name] ?? [])];
  return {
    ...common,
    name,
    entry: Object.fromEntries(entries.map((entry) => [entry, `packages/${name}/src/${entry}.ts`])),
    outDir: `packages/${name}/dist`,
  };
}

const builds = readdirSync('packages')
  .filter((name) => existsSync(`packages/${name}/src/index.ts`))
  .map(packageBuild);

// Benches run as the JavaScript that users get, not as what a test runner makes of the sources.
if (existsSync('test/bench/main.ts')) {
  builds.push({ ...common, name: 'bench', entry: { bench: 'test/bench/main.ts' }, outDir: 'test/dist' });
}

export default defineConfig(builds);
