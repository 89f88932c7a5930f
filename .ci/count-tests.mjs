// Usage: node count-tests.mjs REPORT STATUS     (vitest's JSON report, and the status it left with)
// Prints "PASSED FAILED SKIPPED", then the name of each failure on a line of its own.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [, , file, status] = process.argv;

function readReport() {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(report.testResults) ? report : undefined;
  } catch {
    return undefined;
  }
}

function count(report) {
  const tally = { passed: 0, skipped: 0, failures: [] };
  for (const suite of report.testResults) countSuite(suite, relative(process.cwd(), suite.name), tally);
  // Nothing ran, or something failed outside of any test (an unhandled rejection, a worker that died).
  if (tally.passed + tally.failures.length === 0) tally.failures.push('tests: none ran');
  else if (status !== '0' && tally.failures.length === 0) tally.failures.push(`tests: npm test left with status ${status}`);
  return tally;
}

function countSuite(suite, name, tally) {
  const failedBefore = tally.failures.length;
  for (const test of suite.assertionResults ?? []) {
    if (test.status === 'passed') tally.passed++;
    else if (test.status === 'failed') tally.failures.push(`${name}: ${test.fullName}`);
    else tally.skipped++;
  }
  // A suite that could not be loaded, or whose hooks failed, has no test to blame.
  if (suite.status === 'failed' && tally.failures.length === failedBefore) tally.failures.push(`${name}: the suite failed`);
}

const report = readReport();
const { passed, skipped, failures } = report
  ? count(report)
  : { passed: 0, skipped: 0, failures: [`tests: no report (npm test left with status ${status})`] };
console.log(`${passed} ${failures.length} ${skipped}`);
for (const failure of failures) console.log(failure.replaceAll('\n', ' '));
