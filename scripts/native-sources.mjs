// Has tests load the sources of packages as Node loads modules: each source is translated to a JavaScript file of its own, with the lines of the source in its
// map. Vitest's own runner makes each use of an imported name the call of a getter, and translates and loads all anew for each process.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformWithOxc, version } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const packages = join(root, 'packages');

/** As the translator writes them: a statement begins its line. */
const STATIC_IMPORT = /^((?:import|export) (?:[\w$*\s{},]+ from )?")([^"]+)(")/gm;
const DYNAMIC_IMPORT = /(\bimport\(["'])([^"']+)(["']\))/g;
/** What the translator leaves to a package that only vite has: for decorators of classes, as there are no others. */
const DECORATE_IMPORT = /^import _decorate from "@oxc-project\/runtime\/helpers\/decorate";$/m;
const DECORATE = 'const _decorate = (decorators, made) => decorators.reduceRight((target, decorate) => decorate(target) ?? target, made);';

/** A plugin of vite. A watching vitest has the sources as it would, since it must see what is saved. */
export function nativeSources() {
  /** '@softnet/kernel/node' -> file */
  let names = null;
  return {
    name: 'softnet:native-sources',
    enforce: 'pre',
    config: () => ({ test: { server: { deps: { external: [/\/\.native\//] } } } }),
    async configureVitest({ vitest }) {
      if (vitest.config.watch) return;
      names = readNames();
      await translateAll(names);
    },
    resolveId(source, importer) {
      if (names === null || importer === undefined) return null;
      const file = source.startsWith('.') ? resolve(dirname(importer), source) : names.get(source);
      return file !== undefined && isTranslated(file) ? nativeOf(file) : null;
    },
  };
}

/** What packages call their entries, by the condition `@softnet/source`. */
function readNames() {
  const names = new Map();
  for (const folder of readdirSync(packages)) {
    const manifest = join(packages, folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
    for (const [entry, conditions] of Object.entries(exports)) {
      const file = conditions['@softnet/source'];
      if (file !== undefined) names.set(name + entry.slice(1), join(packages, folder, file));
    }
  }
  return names;
}

function isTranslated(file) {
  const [folder, room] = relative(packages, file).split(sep);
  return folder !== '..' && room === 'src' && file.endsWith('.ts') && !file.endsWith('.test.ts');
}

/** In a folder of the package: Node finds what the package depends on from there. Not in `node_modules`: what stands there counts as strangers' code. */
function nativeOf(file) {
  const [folder, , ...path] = relative(packages, file).split(sep);
  return `${join(packages, folder, '.native', ...path)}.mjs`;
}

function sources() {
  return filesBelow('src').filter(isTranslated);
}

function filesBelow(room) {
  return readdirSync(packages).flatMap((folder) => {
    const path = join(packages, folder, room);
    return existsSync(path) ? readdirSync(path, { recursive: true }).map((file) => join(path, file)) : [];
  });
}

/** What has changed since. Each says on its last line of what it was made, so none can be stale, whoever writes at the same time. */
async function translateAll(names) {
  const recipe = [root, version, readFileSync(fileURLToPath(import.meta.url), 'utf8'), ...[...names].flat()].join('\0');
  const natives = new Set();
  for (const file of sources()) {
    const text = readFileSync(file, 'utf8');
    const native = nativeOf(file);
    natives.add(native);
    const origin = `// ${createHash('sha256').update(recipe).update(text).digest('hex')}`;
    if (!existsSync(native) || !readFileSync(native, 'utf8').endsWith(origin))
      writeWhole(native, (await translate(file, text, names)) + origin);
  }
  for (const native of nativesThere()) if (!natives.has(native)) rmSync(native, { force: true });
}

function nativesThere() {
  return filesBelow('.native').filter((file) => file.endsWith('.mjs'));
}

async function translate(file, text, names) {
  const { code, map } = await transformWithOxc(text, file, {
    target: 'node20',
    sourcemap: true,
    decorator: { legacy: true, emitDecoratorMetadata: false },
  });
  const link = (whole, head, name, tail) => {
    const target = targetOf(name, file, names);
    return target === null ? whole : head + target + tail;
  };
  const linked = code
    .replace(DECORATE_IMPORT, DECORATE)
    .replace(STATIC_IMPORT, link)
    .replace(DYNAMIC_IMPORT, link)
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href));
  const sourceMap = JSON.stringify({ ...map, sources: [file], sourcesContent: undefined });
  return `${linked}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(sourceMap).toString('base64')}\n`;
}

/** What the translation of `file` imports for a name; null: the same. */
function targetOf(name, file, names) {
  const target = name.startsWith('.') ? resolve(dirname(file), name) : names.get(name);
  if (target === undefined || !isTranslated(target)) return null;
  const path = relative(dirname(nativeOf(file)), nativeOf(target)).replaceAll(sep, '/');
  return path.startsWith('.') ? path : `./${path}`;
}

/** Another run may be reading it. */
function writeWhole(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}
