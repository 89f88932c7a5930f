import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { packageFolder } from '../package-folder.ts';
import { UsageError } from '../usage-error.ts';
import { findPackage, linkPackages } from './link-packages.ts';

/** What was written. */
export interface NewModuleReport {
  /** Absolute. */
  readonly folder: string;
  /** Paths in the folder, sorted. */
  readonly files: readonly string[];
  /** Packages that were linked into its node_modules. */
  readonly linked: readonly string[];
  /** Packages that `npm install` must bring, since they are not beside this command. */
  readonly missing: readonly string[];
}

/** As the kernel takes names of modules, with room for the `-user` of the one that is written beside it. */
const NAME = /^[a-z][a-z0-9-]{0,57}$/;

/**
 * Writes the skeleton of a plugin, whose tests pass at once.
 * @param folder default: a folder of that name in the current one.
 * @throws UsageError for a bad name, and where something stands in the folder already.
 */
export function newModule(name: string, folder: string = name): NewModuleReport {
  if (!NAME.test(name)) {
    throw new UsageError(`'${name}' is no name for a module: use lower-case letters, digits and dashes, a letter first, as in my-echo`);
  }
  const target = resolve(folder);
  refuseUnlessFree(target);
  const template = join(packageFolder, 'templates', 'module');
  const files = templateFiles(template).map((file) => {
    const path = fileName(file, name);
    mkdirSync(dirname(join(target, path)), { recursive: true });
    const text = fill(readFileSync(join(template, file), 'utf8'), name);
    writeFileSync(join(target, path), path === 'package.json' ? withVersions(text) : text);
    return path;
  });
  return { folder: target, files: files.sort(), ...linkPackages(target, devDependencies(target)) };
}

/** 'my-echo' as the classes are called: 'MyEcho'. */
export function className(name: string): string {
  return name.replace(/(?:^|-+)([a-z0-9]?)/g, (_match, letter: string) => letter.toUpperCase());
}

function refuseUnlessFree(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw new UsageError(`${folder} is a file: give another folder with --dir`);
  if (readdirSync(folder).length > 0) throw new UsageError(`${folder} is not empty: nothing was written; give another folder with --dir`);
}

function templateFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** npm leaves files named .gitignore out of packages, so the template's has no dot. */
function fileName(file: string, name: string): string {
  return file === 'gitignore' ? '.gitignore' : fill(file, name);
}

/** The template is the working module 'skeleton': its name stands wherever the new one's shall. */
function fill(text: string, name: string): string {
  return text.replaceAll('skeleton', name).replaceAll('Skeleton', className(name));
}

/** Asks for the versions that this command has beside it: those the skeleton was tried with. */
function withVersions(text: string): string {
  const json = JSON.parse(text) as Record<'peerDependencies' | 'devDependencies', Record<string, string>>;
  for (const field of ['peerDependencies', 'devDependencies'] as const) {
    for (const name of Object.keys(json[field])) {
      const version = findPackage(name)?.version;
      if (version !== undefined) json[field][name] = `^${version}`;
    }
  }
  return `${JSON.stringify(json, null, 2)}\n`;
}

function devDependencies(folder: string): string[] {
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
  return Object.keys(json.devDependencies);
}
