export { RouteModule } from './module.ts';
export { PrefixTable } from './prefixes/prefix-table.ts';
export { TABLE } from './rules.ts';
