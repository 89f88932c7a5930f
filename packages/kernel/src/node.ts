export * from './node/node-builtins.ts';
export * from './node/node-compile.ts';
export * from './node/node-evaluate.ts';
export * from './node/read-bundle.ts';
