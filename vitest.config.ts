import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { configDefaults, defineConfig } from 'vitest/config';
import { nativeSources } from './scripts/native-sources.mjs';

// Packages find one another's sources, without a build, by the `@softnet/source` condition of their exports.
const conditions = ['@softnet/source', ...defaultServerConditions];

const include = ['packages/**/src/**/*.test.ts', 'test/**/*.test.ts'];

/**
 * What looks at the heap, at collected code, at numbers of descriptors or at a build of its own (debug or not) has a process to itself. All else shares one a worker,
 * which loads the sources once: half of the time of a suite with so many files.
 */
const LOOKS_AT_ITS_PROCESS = /vi\.(hoisted|mock|stub)|contract\/testing|\bgc\b|memoryUsage|heapUsed|heapPer|openSync|compliance/i;
const alone = ['packages', 'test']
  .flatMap((folder) => testFiles(fileURLToPath(new URL(folder, import.meta.url))))
  .filter((file) => LOOKS_AT_ITS_PROCESS.test(readFileSync(file, 'utf8')));

const common = {
  // Forks, not threads: only a process can be given --expose-gc, which the leak tests need.
  pool: 'forks' as const,
  execArgv: ['--expose-gc'],
  // Nothing waits for so long by itself: this is for a machine that is slow, and busy with all else (tshark alone wants some ten seconds there).
  testTimeout: 60_000,
  hookTimeout: 60_000,
  retry: 0,
};

export default defineConfig({
  plugins: [nativeSources()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // `@Module({...})` is a legacy class decorator, in tests too.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: false } },
  // From whatever folder it is called.
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    // One more than the two cores that are usual: files that wait (for a real peer, or real time) leave theirs to others.
    maxWorkers: 3,
    passWithNoTests: false,
    projects: [
      { extends: true, test: { ...common, name: 'shared', include, exclude: [...configDefaults.exclude, ...alone], isolate: false } },
      { extends: true, test: { ...common, name: 'alone', include: alone, isolate: true } },
    ],
  },
});

/** All below a folder. Links are not followed: `node_modules` holds our own packages again. */
function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path);
    return path.endsWith('.test.ts') ? [path] : [];
  });
}
