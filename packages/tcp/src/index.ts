export * from './machine/round-trip.ts';
export * from './machine/sequence.ts';
export * from './wire/options-value.ts';
export * from './wire/put-options.ts';
export * from './wire/received-options.ts';
