export { RawModule } from './module.ts';
