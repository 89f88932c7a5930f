export { CubicModule } from './cubic/module.ts';
export { RenoModule } from './reno/module.ts';
