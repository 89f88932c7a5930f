// The figures in README.md: `npm run build && node packages/wire/figures.mjs`. Peers are measured in the same run, in turn.
import { sumBytes } from './dist/index.js';

const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024 });
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);
for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 2654435761) >>> 24;
const offsets = Int32Array.from({ length: 64 }, (_, index) => index * 2048 + 14);

const get16Bytes = (offset) => (bytes[offset] << 8) | bytes[offset + 1];
const get32Bytes = (offset) => (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3];
function set16Bytes(offset, value) {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value;
}
function set32Bytes(offset, value) {
  bytes[offset] = value >> 24;
  bytes[offset + 1] = value >> 16;
  bytes[offset + 2] = value >> 8;
  bytes[offset + 3] = value;
}

/** RFC 1071 §4.1, as it stands there. */
function sumPlain(offset, lenBytes) {
  let sum = 0;
  let at = offset;
  let count = lenBytes;
  for (; count > 1; count -= 2, at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (count > 0) sum += bytes[at] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const accesses = 1 << 20;
/** Four fields at each of many offsets. */
function fields(get, step) {
  return () => {
    let sum = 0;
    for (let round = 0; round < accesses / 4; round++) {
      const offset = offsets[round & 63];
      sum ^= get(offset) ^ get(offset + step) ^ get(offset + 2 * step) ^ get(offset + 3 * step);
    }
    return sum;
  };
}
function writes(set, step) {
  return () => {
    for (let round = 0; round < accesses / 4; round++) {
      const offset = offsets[round & 63];
      set(offset, round);
      set(offset + step, round);
      set(offset + 2 * step, round);
      set(offset + 3 * step, round);
    }
    return 0;
  };
}
const sums = (sum, lenBytes, times) => () => {
  let all = 0;
  for (let round = 0; round < times; round++) all ^= sum(offsets[round & 63], lenBytes);
  return all;
};

/** A copy of its own for each (V8 knows a source again, hence the number), so that none spoils another's types. */
let copies = 0;
const copy = (make, ...values) =>
  new Function('bytes', 'view', 'offsets', 'accesses', `return ${make} // ${copies++}`)(bytes, view, offsets, accesses)(...values);

/** What is measured: name, how many, ours, by bytes. */
const works = [
  ['read 16 bits', accesses, copy(fields, (offset) => view.getUint16(offset), 2), copy(fields, get16Bytes, 2)],
  ['read 32 bits', accesses, copy(fields, (offset) => view.getInt32(offset), 4), copy(fields, get32Bytes, 4)],
  ['write 16 bits', accesses, copy(writes, (offset, value) => view.setUint16(offset, value), 2), copy(writes, set16Bytes, 2)],
  ['write 32 bits', accesses, copy(writes, (offset, value) => view.setInt32(offset, value), 4), copy(writes, set32Bytes, 4)],
];
for (const lenBytes of [20, 40, 576, 1460, 9000, 65535]) {
  const times = Math.max(200, Math.trunc(2e7 / lenBytes));
  const ours = copy(sums, (offset, length) => sumBytes(view, offset, length), lenBytes, times);
  works.push([`sum of ${lenBytes} bytes`, times, ours, copy(sums, sumPlain, lenBytes, times)]);
}

console.log(`Node ${process.version}\n\n| | ns | by bytes, ns | ratio |\n|---|---|---|---|`);
for (const [name, count, ours, peer] of works) {
  const best = [Infinity, Infinity];
  for (let round = 0; round < 15; round++) {
    for (const [index, work] of [ours, peer].entries()) {
      const start = performance.now();
      globalThis.sink = work();
      best[index] = Math.min(best[index], ((performance.now() - start) * 1e6) / count);
    }
  }
  console.log(`| ${name} | ${best[0].toFixed(2)} | ${best[1].toFixed(2)} | ${(best[1] / best[0]).toFixed(1)} |`);
}
