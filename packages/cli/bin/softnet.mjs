#!/usr/bin/env node
import { main } from '../dist/index.js';

// Whoever reads has left (`softnet start | head`): as if SIGPIPE had ended us.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(141);
});
process.exitCode = await main(process.argv.slice(2));
