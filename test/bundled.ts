import { build } from 'vite';

/** A program in TypeScript, for another thread, as JavaScript. @param path absolute. */
export async function bundled(path: string): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@softnet/source'] },
    oxc: { decorator: { legacy: true } },
    build: {
      write: false,
      target: 'node20',
      lib: { entry: path, formats: ['cjs'] },
      rolldownOptions: { external: /^node:/ },
    },
  });
  return (made as unknown as { output: { code: string }[] }[])[0]!.output[0]!.code;
}
