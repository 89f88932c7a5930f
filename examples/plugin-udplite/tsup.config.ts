import { defineConfig } from 'tsup';

/** One CommonJS file, without contract and libraries: the host hands those in. Such code can be collected after an unload. */
export default defineConfig({
  entry: { udplite: 'src/index.ts' },
  format: 'cjs',
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  external: [/^@softnet\//],
  splitting: false,
  clean: true,
});
