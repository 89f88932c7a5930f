import { resolve } from 'node:path';
import type { Bundle } from '@softnet/kernel';
import { build } from 'esbuild';

/**
 * Builds a module from its source to one CommonJS bundle, as its author would publish it: `@softnet/*` is left out, since
 * the host hands it in; decorators are legacy ones.
 *
 * @param entry the file that exports the module's class, from the current folder.
 * @param handedIn what is left out; what else of ours it uses becomes a part of it.
 * @throws esbuild's error for what does not build.
 */
export async function buildBundle(entry: string, handedIn: readonly string[] = ['@softnet/*']): Promise<Bundle> {
  const filename = resolve(entry).replace(/\.[cm]?[jt]s$/, '.cjs');
  const result = await build({
    entryPoints: [resolve(entry)],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    external: [...handedIn],
    conditions: ['@softnet/source'],
    charset: 'utf8',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  return { code: result.outputFiles[0]!.text, filename };
}
