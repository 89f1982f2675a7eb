import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { browserPath } from '../support/browser.js';
import { axeViolations, MODES, takePicture } from '../support/page-proof.js';
import {
  expectedLines,
  goTo,
  type JsonFunction,
  ReportBrowser,
  shownLines,
} from '../support/report-browser.js';
import { temporaryFolder } from '../support/temporary.js';
import { cli, testWith } from './tools.js';

// A folder that test/recorder/record-kernel.sh filled.
const given = process.env['AUTOFDO_KERNEL_DIR'] ?? '/AUTOFDO_KERNEL_DIR-is-not-set';
const [binary, perfData] = [join(given, 'vmlinux'), join(given, 'perf.data')];
const { path: folder } = temporaryFolder();
/** Number of functions whose pages are compared. */
const COMPARED = 25;

function run(...args: string[]): string {
  const done = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout;
}

describe('the page of a recorded kernel', () => {
  const browser = new ReportBrowser();
  const tools = [binary, perfData, browserPath() ?? 'chromium'];
  beforeAll(async () => {
    if (browserPath() !== undefined) await browser.start();
  });
  afterAll(() => browser.stop());

  testWith(tools, 'has the files of functions, can be searched, and fits each screen', async () => {
    const path = join(folder, 'kernel.html');
    run('report', '--binary', binary, '--perfdata', perfData, '-o', path, '-q');
    const page = await browser.open(path, 'vmlinux/functions');
    await page.getByRole('searchbox').fill('do_syscall_64');
    await page.getByRole('link', { name: 'do_syscall_64', exact: true }).click();
    await page.waitForSelector('table.code');
    expect(await page.locator('.path').first().textContent()).toMatch(/arch\/x86\/entry\/\w+\.c:\d+$/);
    await goTo(page, 'vmlinux/map');
    await page.locator('.tile', { hasText: 'kernel' }).first().waitFor();
    await browser.close(page);
    const views = ['overview', 'map', 'functions', 'function/do_syscall_64'];
    for (const [mode, options] of MODES) {
      const page = await browser.open(path, '', options);
      for (const view of views) {
        await goTo(page, `vmlinux/${view}`);
        await page.locator('.stack, .tile, .rows .row, table.code').first().waitFor();
        expect(await axeViolations(page)).toEqual([]);
        expect(await takePicture(page, `kernel, ${view}, ${mode}`)).toBe(0);
      }
      await browser.close(page);
    }
  });

  testWith(tools, 'shows the numbers that `show --json` prints', async () => {
    const [profile, path] = [join(folder, 'kernel.afdo'), join(folder, 'numbers.html')];
    run('--binary', binary, '--perfdata', perfData, '-o', profile, '-q');
    run('report', profile, '-o', path, '-q');
    const { functions } = JSON.parse(run('show', profile, '--json', '--all-functions')) as {
      functions: JsonFunction[];
    };
    const page = await browser.open(path);
    for (const expected of functions.slice(0, COMPARED)) {
      await goTo(page, `kernel.afdo/function/${encodeURIComponent(expected.name)}`);
      await page.getByRole('table', { name: `Lines of ${expected.name}`, exact: true }).waitFor();
      expect(await shownLines(page)).toEqual(expectedLines(expected));
    }
    await browser.close(page);
  });
});
