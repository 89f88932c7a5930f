import type { Manifest, ModuleClass } from '@softnet/contract';
import { Module, manifestOf } from '@softnet/contract';
import type { Bundle, ModuleSource } from '@softnet/kernel';
import type { ComplianceSubject } from './subject.ts';

/** The module of a subject. A function that is no marked class makes one. */
export function sourceOf({ source }: ComplianceSubject): ModuleSource {
  if (typeof source !== 'function' || manifestOf(source) !== undefined || /^class\b/.test(Function.prototype.toString.call(source))) {
    return source as ModuleSource;
  }
  return (source as () => ModuleSource)();
}

export function isBundle(source: ModuleSource): source is Bundle {
  return typeof source === 'object' && source !== null && 'code' in source;
}

/** It, or what it needs, says that it runs in real time only. (Of a bundle nothing is known before it is loaded.) */
export function needsRealTime(subject: ComplianceSubject): boolean {
  const sources = [sourceOf(subject), ...(subject.needs ?? [])];
  return sources.some((source) => !isBundle(source) && (manifestOf(source) as Partial<Manifest> | undefined)?.realTime === true);
}

/** What to call the module before it is loaded. */
export function nameOfSource(source: ModuleSource): string {
  if (isBundle(source)) return source.filename;
  const manifest = manifestOf(source) as Partial<Manifest> | undefined;
  return manifest?.name ?? source.name ?? 'the module';
}

const PLANTED = 'planted by the compliance kit';

/** The same module, whose start throws when it has done all that it does. */
export function failingStart(source: ModuleSource): ModuleSource {
  if (isBundle(source))
    return { ...source, code: `${source.code}\n;(${failBundle.toString()})(module, require, ${JSON.stringify(PLANTED)});` };
  const failing = class extends source {
    override async start(ctx: Parameters<InstanceType<ModuleClass>['start']>[0]): Promise<void> {
      await super.start(ctx);
      throw new Error(PLANTED);
    }
  };
  Module(manifestOf(source) as Manifest)(failing);
  return failing;
}

/** The same bundle, which gives its class to `see` whenever it is evaluated. `key` names a global that the kit removes. */
export function watchedBundle(source: Bundle, key: string): Bundle {
  return { ...source, code: `${source.code}\n;globalThis[Symbol.for(${JSON.stringify(key)})]?.(module.exports);` };
}

/** Runs at the end of a bundle, as text: it knows nothing of this file. */
function failBundle(module: { exports: unknown }, require: (name: string) => unknown, planted: string): void {
  const contract = require('@softnet/contract') as { Module: typeof Module; manifestOf: typeof manifestOf };
  const exported = module.exports as Record<string, unknown>;
  const found = [exported, ...Object.values(exported)].find(
    (each) => typeof each === 'function' && contract.manifestOf(each) !== undefined,
  );
  const Found = found as ModuleClass;
  module.exports = class extends Found {
    override async start(ctx: Parameters<InstanceType<ModuleClass>['start']>[0]) {
      await super.start(ctx);
      throw new Error(planted);
    }
  };
  contract.Module(contract.manifestOf(Found) as Manifest)(module.exports as ModuleClass);
}
