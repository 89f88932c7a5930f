export { NetdevModule } from './module.ts';
