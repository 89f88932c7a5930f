import { defineConfig } from 'tsup';

const name = 'skeleton';

/** The module, and somebody who uses it. A plugin is one CommonJS file, without the contract: the host hands that in. Such code can be collected after an unload. */
export default defineConfig({
  entry: { [name]: 'src/index.ts', [`${name}-user`]: 'src/user.ts' },
  format: 'cjs',
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  external: [/^@softnet\//],
  splitting: false,
  sourcemap: false,
  clean: true,
});
