export { type ReadBundleOptions, readBundle } from '@softnet/kernel/node';
export { buildBundle } from './node/build-bundle.ts';
