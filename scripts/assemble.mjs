// Assembles the WebAssembly of packet memory into TypeScript. Usage: node scripts/assemble.mjs [--check]
// With --check nothing is written: it says whether what is committed is what the source gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import wabt from 'wabt';

const dir = resolve(import.meta.dirname, '../packages/skb/src/bulk');
const source = join(dir, 'vectors.wat');
const target = join(dir, 'vector-code.ts');
const memory = '(memory 1 16384)';
const lineChars = 120;

const { parseWat } = await wabt();

function assemble(text) {
  const { buffer } = parseWat(source, text, { simd: true, threads: true }).toBinary({});
  // Compiled rather than validated: the error then says what is wrong, and where.
  new WebAssembly.Module(buffer);
  return Buffer.from(buffer).toString('base64');
}

function constant(name, says, base64) {
  const lines = base64.match(new RegExp(`.{1,${lineChars}}`, 'g'));
  const literal = lines.map((line) => `'${line}'`).join(' +\n  ');
  return `/** ${says} */\nexport const ${name}: string =\n  ${literal};\n`;
}

const text = readFileSync(source, 'utf8');
if (!text.includes(memory)) throw new Error(`${source} imports no ${memory}`);
const made = [
  '// Made of vectors.wat by `npm run assemble`; a test compares the two.\n',
  constant('VECTOR_CODE', 'For a plain memory. base64.', assemble(text)),
  constant('VECTOR_CODE_SHARED', 'For a shared one. base64.', assemble(text.replace(memory, '(memory 1 16384 shared)'))),
].join('\n');

if (!process.argv.includes('--check')) writeFileSync(target, made);
else if (readFileSync(target, 'utf8') !== made) {
  console.error(`${target} is not what vectors.wat gives: npm run assemble`);
  process.exitCode = 1;
}
