import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { report } from 'autofdo-gen';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath, launchBrowser } from '../support/browser.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const CALC = fileURLToPath(new URL('../../fixtures/calc-x86_64', import.meta.url));
const PROFILE = join(CALC, 'expected.afdo');
/** Path of speedscope's page, which contains speedscope's importers. */
const SPEEDSCOPE = join(
  dirname(createRequire(import.meta.url).resolve('speedscope/package.json')),
  'dist/release/index.html',
);
const folder = temporaryFolder();

const missing =
  browserPath() === undefined ? ' (skipped: there is no chromium on the path or in CHROMIUM)' : '';

describe.skipIf(missing !== '')(`speedscope opens${missing}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** Returns the functions that speedscope lists, with the counts of their own lines. */
  async function selfCounts(page: Page, file: string): Promise<Map<string, number>> {
    // With a path in its address, the page does not ask for a file.
    await page.goto(`${pathToFileURL(SPEEDSCOPE).href}#localProfilePath=none.js`);
    await page.waitForFunction('globalThis.speedscope !== undefined');
    const content = readFileSync(file).toString('base64');
    await page.evaluate(`speedscope.loadFileFromBase64(${JSON.stringify(file)}, '${content}')`);
    await page.getByText('Sandwich').click();
    await page.getByText('read_name').first().waitFor();
    const rows = await page.locator('tr').allInnerTexts();
    const counts = new Map<string, number>();
    for (const row of rows) {
      const [, self, name] = /^\s*[\d,]+ \(.*?\)\s+([\d,]+) \(.*?\)\s+(\S+)\s*$/.exec(row) ?? [];
      if (self === undefined || name === undefined) continue;
      counts.set(name, (counts.get(name) ?? 0) + Number(self.replaceAll(',', '')));
    }
    return counts;
  }

  /** Returns the functions of the profile, with the counts of their own lines. */
  async function expected(): Promise<Map<string, number>> {
    const { profiles } = await report({ profile: PROFILE });
    const counts = new Map<string, number>();
    for (const { name, self, copyLines } of profiles[0]?.functions ?? []) {
      const copies = copyLines.reduce((sum, { count }) => sum + count, 0n);
      if (self + copies > 0n) counts.set(name, Number(self + copies));
    }
    return counts;
  }

  it('shows a report with the counts of the profile', async () => {
    const file = join(folder.path, 'calc.speedscope.json');
    const { status, stderr } = await runCli(['report', PROFILE, '-o', file]);
    expect(status, stderr).toBe(0);
    const page = await browser.newPage({ viewport: { width: 1280, height: 2400 } });
    const found = await selfCounts(page, file);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(await expected()));
    await page.close();
  });
});
