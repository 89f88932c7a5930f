import { defineConfig } from 'vitest/config';

export default defineConfig({
  // `@Module({...})` is a class decorator of TypeScript's first sort (experimentalDecorators).
  oxc: { decorator: { legacy: true } },
  test: {
    include: ['src/**/*.test.ts'],
    pool: 'forks',
    // For the leak guard.
    execArgv: ['--expose-gc'],
  },
});
