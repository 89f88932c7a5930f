import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Packages find one another's sources, without a build, by the `@softnet/source` condition of their exports.
const conditions = ['@softnet/source', ...defaultServerConditions];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // `@Module({...})` is a legacy class decorator, in tests too.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: false } },
  test: {
    include: ['packages/**/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Forks, not threads: only a process can be given --expose-gc, which the leak tests need.
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--expose-gc'],
    testTimeout: 20_000,
    retry: 0,
    passWithNoTests: false,
  },
});
