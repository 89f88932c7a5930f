import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NetError } from '@softnet/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBundle } from './read-bundle.ts';

const CODE = 'module.exports = class Echo {};\n';
const ESM = "import { Module } from '@softnet/contract';\nexport default class Echo {}\n";
let home = '';

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'softnet-read-')));
});
afterEach(() => rmSync(home, { recursive: true }));

function write(path: string, content: string | Uint8Array | object): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  return file;
}

function refusal(pathOrPackage: string): NetError {
  try {
    readBundle(pathOrPackage, { from: home });
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return error as NetError;
  }
  throw new Error('the bundle was read');
}

describe('readBundle reads', () => {
  it.each(['echo.cjs', 'dist/echo.js'])('the file %s, by every way to write its path', (path) => {
    const filename = write(path, CODE);
    const bundle = { code: CODE, filename };
    expect(readBundle(`./${path}`, { from: home })).toEqual(bundle);
    expect(readBundle(path, { from: home })).toEqual(bundle);
    expect(readBundle(filename)).toEqual(bundle);
    expect(readBundle(pathToFileURL(filename).href)).toEqual(bundle);
    mkdirSync(join(home, 'sub'));
    expect(readBundle(`../${path}`, { from: join(home, 'sub') })).toEqual(bundle);
  });

  it('a file anew each time', () => {
    write('echo.cjs', CODE);
    readBundle('./echo.cjs', { from: home });
    write('echo.cjs', '// newer');
    expect(readBundle('./echo.cjs', { from: home }).code).toBe('// newer');
  });

  it('the real file behind a link, without a byte order mark', () => {
    const filename = write('echo-1.2.3.cjs', `\uFEFF${CODE}`);
    symlinkSync(filename, join(home, 'echo.cjs'));
    expect(readBundle('./echo.cjs', { from: home })).toEqual({ code: CODE, filename });
  });

  it('a .js of a package without package.json, whatever the one that uses it says', () => {
    write('package.json', { type: 'module' });
    const filename = write('node_modules/loose/echo.js', CODE);
    expect(readBundle('./node_modules/loose/echo.js', { from: home }).filename).toBe(filename);
  });

  it('a .cjs whose strings look like an ES module', () => {
    const code = 'module.exports = `\nimport x from "y"\nexport default 1\n`;';
    write('echo.cjs', code);
    expect(readBundle('./echo.cjs', { from: home }).code).toBe(code);
  });

  const packages: [string, object, string][] = [
    ['softnet.bundle', { name: 'echo', type: 'module', main: './index.js', softnet: { bundle: 'dist/echo.cjs' } }, 'dist/echo.cjs'],
    [
      'exports for require',
      { name: 'echo', exports: { '.': { import: './echo.mjs', require: './out/echo.cjs' } }, main: './no.cjs' },
      'out/echo.cjs',
    ],
    ['exports as a string', { name: 'echo', exports: './out/echo.cjs' }, 'out/echo.cjs'],
    ['main', { name: 'echo', main: './lib/echo' }, 'lib/echo.js'],
    ['nothing: index.js', {}, 'index.js'],
  ];

  it.each(packages)('a folder with %s', (_what, json, file) => {
    write('plugin/package.json', json);
    const filename = write(`plugin/${file}`, CODE);
    expect(readBundle('./plugin', { from: home })).toEqual({ code: CODE, filename });
    expect(readBundle('.', { from: join(home, 'plugin') }).filename).toBe(filename);
  });

  it.each(packages)('an installed package with %s, from a folder below', (_what, json, file) => {
    write('node_modules/@me/echo/package.json', { ...json, ...('name' in json && { name: '@me/echo' }) });
    const filename = write(`node_modules/@me/echo/${file}`, CODE);
    mkdirSync(join(home, 'a/b'), { recursive: true });
    expect(readBundle('@me/echo', { from: join(home, 'a/b') })).toEqual({ code: CODE, filename });
  });

  it('a file within a package, by its exports', () => {
    write('node_modules/plugins/package.json', { name: 'plugins', exports: { './echo': './dist/echo.cjs' } });
    const filename = write('node_modules/plugins/dist/echo.cjs', CODE);
    expect(readBundle('plugins/echo', { from: home }).filename).toBe(filename);
  });
});

describe('readBundle refuses', () => {
  it.each(['', '\0', 'a\0b', undefined as never, 7 as never])('%j as a name', (name) => {
    const error = refusal(name);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/must be given as a path or as the name of a package.*Give '\.\/dist\/NAME\.cjs'/);
  });

  it('a path where nothing is, with what was tried', () => {
    const error = refusal('./dist/echo.cjs');
    expect(error.code).toBe('ENOENT');
    expect(error.message).toContain(`tried ${join(home, 'dist/echo.cjs')}. Is it built`);
  });

  it('a package that is not installed, with what was tried', () => {
    const error = refusal('@me/echo');
    expect(error.code).toBe('ENOENT');
    expect(error.message).toMatch(/plugin '@me\/echo' must be a file, a folder or a package, but there is none/);
    expect(error.message).toContain(join(home, 'node_modules/@me/echo'));
    expect(error.message).toContain(`${join(home, '@me/echo')}. Is it built, or installed?`);
  });

  it('a URL of no file', () => {
    const error = refusal('file://elsewhere/echo.cjs');
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/'file:\/\/elsewhere\/echo\.cjs' must be the URL of a file.*Give file:\/\/\//);
  });

  it.each([
    ['.mjs', 'echo.mjs', CODE, undefined, /its name ends in \.mjs/],
    [
      '.js in an ESM package',
      'lib/echo.js',
      CODE,
      { type: 'module' },
      /package\.json says "type": "module", with which a CommonJS file is named \.cjs/,
    ],
    ['.js with import and export', 'echo.js', ESM, undefined, /it has import or export statements/],
    ['.cjs with import and export', 'echo.cjs', ESM, undefined, /it has import or export statements/],
  ])('an ES module: %s', (_what, path, code, json, reason) => {
    const filename = write(path, code);
    if (json !== undefined) {
      write('package.json', json);
    }
    const error = refusal(`./${path}`);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toContain(`plugin ${filename} must be one CommonJS file, but `);
    expect(error.message).toMatch(reason);
    expect(error.message).toMatch(/can never be collected: build it as CommonJS \(tsup .*--format cjs\)/);
  });

  it.each([
    ['echo.ts', /is a '\.ts' file\. Build it \(tsup: format cjs\)/],
    ['echo.json', /is a '\.json' file\. Give the file that your build wrote/],
    ['echo', /is a '' file/],
  ])('the file %s', (path, sentence) => {
    write(path, CODE);
    const error = refusal(`./${path}`);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toContain(join(home, path));
    expect(error.message).toMatch(/must be a CommonJS file \(\.cjs or \.js\)/);
    expect(error.message).toMatch(sentence);
  });

  it('what is no text', () => {
    write('echo.cjs', Uint8Array.of(0x61, 0xff, 0xfe));
    expect(refusal('./echo.cjs').message).toMatch(/EINVAL: plugin file .*echo\.cjs must be text in UTF-8, but is not\. Give/);
  });

  it.runIf(process.getuid?.() !== 0)('what may not be read', () => {
    chmodSync(write('echo.cjs', CODE), 0);
    expect(refusal('./echo.cjs').message).toMatch(
      /EACCES: plugin file .*echo\.cjs must be readable.*Give a file that this process may read/,
    );
  });

  it('a folder without package.json', () => {
    write('plugin/echo.cjs', CODE);
    expect(refusal('./plugin').message).toMatch(
      /ENOENT: plugin folder .*plugin must have a package\.json, but has none\. Give the bundle's file/,
    );
  });

  const bad: [string, string | object, 'EINVAL' | 'ENOENT', RegExp][] = [
    ['is no JSON', '{ name: ', 'EINVAL', /package\.json must be JSON, but does not parse.*Mend it/],
    ['is no object', '[]', 'EINVAL', /package\.json must be a JSON object, but is an array/],
    [
      'has a softnet without bundle',
      { softnet: {} },
      'EINVAL',
      /softnet\.bundle in .*package\.json must be the path of a CommonJS file, but is undefined\. Write/,
    ],
    ['has a softnet that is no object', { softnet: 'echo.cjs' }, 'EINVAL', /softnet\.bundle in .* must be the path/],
    ['has a bundle that is no string', { softnet: { bundle: 7 } }, 'EINVAL', /must be the path of a CommonJS file, but is 7/],
    [
      'has a bundle outside of it',
      { softnet: { bundle: '../echo.cjs' } },
      'EINVAL',
      /must stay inside the package, but is '\.\.\/echo\.cjs'/,
    ],
    ['has a bundle that is not built', { softnet: { bundle: 'dist/x.cjs' } }, 'ENOENT', /dist\/x\.cjs is none\. Build the plugin first/],
    ['has a main that is not built', { main: 'dist/x.cjs' }, 'ENOENT', /must have the file that its package\.json names.*Build it first/],
    [
      'has an export that is not built',
      { name: 'p', exports: './dist/x.cjs' },
      'ENOENT',
      /must have the file that its package\.json names.*Build it first/,
    ],
    [
      'exports nothing for require',
      { name: 'p', exports: { import: './x.mjs' } },
      'EINVAL',
      /must have a CommonJS file for 'p', but its exports have none\. Build it as CommonJS/,
    ],
    ['has bad exports', { name: 'p', exports: '/x.cjs' }, 'EIO', /must have the file that its package\.json names, but: /],
  ].map(([what, json, code, sentence]) => [what, json, code, sentence] as [string, object, 'EINVAL', RegExp]);

  it.each(bad)('a package whose package.json %s', (_what, json, code, sentence) => {
    write('plugin/package.json', json);
    write('plugin/x.mjs', ESM);
    const error = refusal('./plugin');
    expect(error.code).toBe(code);
    expect(error.message).toContain(join(home, 'plugin'));
    expect(error.message).toMatch(sentence);
  });
});
