export { parseScript } from './language/parse-script.ts';
export { printScript } from './language/print-script.ts';
export type { Script } from './language/script.ts';
export { ScriptSyntaxError } from './language/syntax-error.ts';
export { type RunScriptOptions, runParsed, runScript } from './run/run-script.ts';
export { SCRIPT_LIMITS, type ScriptLimits } from './run/script-clock.ts';
export { SCRIPT_OPTIONS } from './run/script-config.ts';
export { describeVerdict, type ScriptVerdict } from './run/verdict.ts';
