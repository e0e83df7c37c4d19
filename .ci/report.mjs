// What a run of vitest found, read from its JSON report:
//   report.mjs counts REPORT         three numbers: passed, failed, skipped; names the skipped on the error stream
//   report.mjs failed REPORT         each failed test, with the first lines of what it said
//   report.mjs again REPORT          the files that may be run once more: none, when a quick test or more than three files failed
//   report.mjs merge REPORT SECOND   puts the files of the second run in the place of the same files of the first, and names what passed only then
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** More files than these fail together for a reason of their own. */
const MOST_FILES_AGAIN = 3;

const [question, reportPath, secondPath] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const report = read(reportPath);
const shown = (file) => path.relative(process.cwd(), file);
// a file of which no test was run did not pass
const failedFiles = () => report.testResults.filter(({ status, assertionResults }) => status === 'failed' || assertionResults.length === 0);

const hasPassed = (file) => file?.status === 'passed' && file.assertionResults.length > 0;

/** `[name, message]` of each failure of a file; a file that could not be loaded has one of its own. */
const failures = (file) => {
  const tests = file.assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => [fullName, failureMessages.join('\n')]);
  return tests.length > 0 ? tests : [['the file itself', file.message ?? '']];
};

const told = (file) =>
  failures(file).map(
    ([name, message]) =>
      `${shown(file.name)} > ${name}\n${message
        .split('\n')
        .filter((line) => !line.includes('/node_modules/'))
        .slice(0, 12)
        .map((line) => `    ${line.slice(0, 400)}`)
        .join('\n')}`,
  );

const answers = {
  counts() {
    const tests = report.testResults.flatMap((file) => file.assertionResults);
    const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
    for (const { fullName } of skipped) console.error(`skipped: ${fullName}`);
    const passed = tests.filter(({ status }) => status === 'passed').length;
    console.log(passed, failedFiles().flatMap(failures).length, skipped.length);
  },
  failed() {
    for (const line of failedFiles().flatMap(told)) console.log(line);
  },
  again() {
    const files = failedFiles().map(({ name }) => shown(name));
    if (files.length <= MOST_FILES_AGAIN && files.every((file) => file.startsWith('test/'))) for (const file of files) console.log(file);
  },
  merge() {
    const second = new Map(read(secondPath).testResults.map((file) => [file.name, file]));
    const failed = failedFiles();
    for (const file of failed) if (hasPassed(second.get(file.name))) for (const line of told(file)) console.log(line);
    const testResults = report.testResults.map((file) => (failed.includes(file) ? (second.get(file.name) ?? file) : file));
    writeFileSync(reportPath, JSON.stringify({ ...report, testResults }));
  },
};
answers[question]();
