import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath } from '../support/browser.js';
import { largeProfile } from '../support/large-profile.js';
import { axeViolations, MODES, type PageWork, pageWork, takePicture } from '../support/page-proof.js';
import {
  expectedLines,
  goTo,
  type JsonFunction,
  ReportBrowser,
  shownLines,
} from '../support/report-browser.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const fixture = (...path: string[]) => join(FIXTURES, ...path);
const folder = temporaryFolder();

const missing =
  browserPath() === undefined ? ' (skipped: there is no chromium on the path or in CHROMIUM)' : '';

describe.skipIf(missing !== '')(`the page of report${missing}`, () => {
  const browser = new ReportBrowser();
  beforeAll(() => browser.start());
  afterAll(() => browser.stop());

  async function makeReport(name: string, ...args: string[]): Promise<string> {
    const path = join(folder.path, name);
    const { status, stderr } = await runCli(['report', ...args, '-o', path]);
    expect(status, stderr).toBe(0);
    return path;
  }

  describe('for a fixture', () => {
    let report: string;
    beforeAll(async () => {
      const [binary, perfData] = [fixture('calc-x86_64', 'calc'), fixture('calc-x86_64', 'perf.data')];
      report = await makeReport(
        'calc.html',
        '--binary',
        binary,
        '--perfdata',
        perfData,
        '--source-dir',
        FIXTURES,
      );
    });

    it('shows the ledger, which adds up to all entries', async () => {
      const page = await browser.open(report);
      const rows = page
        .locator('section', { hasText: 'What became of the branch entries' })
        .locator('tbody tr');
      const entries = await rows.locator('td.entries').allTextContents();
      const sum = entries.reduce((total, text) => total + Number(text.replaceAll(',', '')), 0);
      const facts = (await page.locator('.facts').textContent()) ?? '';
      expect(facts).toContain(`${sum.toLocaleString('en')} branch entries`);
      expect(facts).toContain('Functions88 are hot');
      expect(await rows.first().textContent()).toContain('used');
      await browser.close(page);
    });

    it('finds a function, opens it, and shows its source with inlined code', async () => {
      const page = await browser.open(report, 'calc/functions');
      await page.getByRole('searchbox').fill('express');
      await expect.poll(() => page.getByRole('status').textContent()).toBe('1 of 18 functions');
      await page.getByRole('link', { name: 'expression', exact: true }).click();
      await page.waitForSelector('table.code');
      const code = page.getByRole('table', { name: 'Lines of expression' });
      expect(await code.textContent()).toContain('expression(');
      const inlined = code.getByRole('button', { name: /inlined operand/ }).first();
      expect(await inlined.getAttribute('aria-expanded')).toBe('false');
      await inlined.click();
      const operand = page.getByRole('table', { name: 'operand, inlined' });
      expect(await operand.textContent()).toContain('operand(');
      expect(new URL(page.url()).hash).toBe('#/calc/function/expression');
      await browser.close(page);
    });

    it('shows the hottest lines, and the meaning of each class of entries', async () => {
      const page = await browser.open(report);
      const hottest = page.locator('section', { hasText: 'Hottest lines' }).locator('tbody tr').first();
      expect(await hottest.locator('td').allTextContents()).toEqual([
        '693',
        expect.stringMatching(/^calc\.c:124/),
        expect.stringMatching(/binds.*inlined into.*expression/),
      ]);
      const ledger = (await page.locator('table.ledger').textContent()) ?? '';
      expect(ledger).toContain('outside the binary');
      expect(ledger).toContain('Both ends lie in other files');
      await browser.close(page);
    });

    it('restores a list as it was left, and the place in the map', async () => {
      const page = await browser.open(report, 'calc/functions', { viewport: { width: 1000, height: 420 } });
      await page.getByRole('button', { name: 'Self' }).click();
      const scroll = page.locator('.scroll');
      await scroll.evaluate((box) => box.scrollTo(0, 120));
      await expect.poll(() => scroll.evaluate((box) => box.scrollTop)).toBe(120);
      // A click of the mouse would scroll the link into view.
      await page
        .getByRole('link', { name: 'find', exact: true })
        .evaluate((link) => (link as unknown as { click(): void }).click());
      await page.waitForSelector('table.code');
      await page.goBack();
      await page.waitForSelector('.rows .row');
      expect(await page.locator('[aria-sort="descending"]').textContent()).toContain('Self');
      expect(await scroll.evaluate((box) => box.scrollTop)).toBe(120);
      await page.getByRole('searchbox').fill('by_');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('h1').textContent()).toMatch(/^by_/);
      await goTo(page, 'calc/map');
      await page
        .locator('.map')
        .getByRole('button', { name: /^expression / })
        .click();
      const here = page.locator('.trail [aria-current]');
      await expect.poll(() => here.textContent()).toBe('expression');
      expect(new URL(page.url()).hash).toMatch(/^#\/calc\/map\/files\/.*\/expression$/);
      await page.goBack();
      await expect.poll(() => here.textContent()).toContain('calc.c');
      await browser.close(page);
    });

    it('goes back and forth, and a link leads to a function', async () => {
      const page = await browser.open(report, 'calc/function/find');
      expect(await page.locator('h1').textContent()).toBe('find');
      await page.getByRole('link', { name: 'Map' }).click();
      await page.waitForSelector('.tile');
      await page.goBack();
      await expect.poll(() => page.locator('h1').textContent()).toBe('find');
      await browser.close(page);
    });

    it('leads from the map into a file, a function, and its inlined code', async () => {
      const page = await browser.open(report, 'calc/map');
      const tile = (name: RegExp) => page.locator('.map').getByRole('button', { name });
      await tile(/^expression /).click();
      await tile(/^(binds|operand) /)
        .first()
        .waitFor();
      const trail = page.getByRole('navigation', { name: 'Place in the map' });
      expect(await trail.locator('[aria-current]').textContent()).toBe('expression');
      // The keyboard moves the focus among the tiles, and leaves the part.
      await page.locator('.tile').first().focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Escape');
      await expect.poll(() => trail.locator('[aria-current]').textContent()).toContain('calc.c');
      await browser.close(page);
    });

    const views: [string, string, (page: Page) => Promise<unknown>][] = [
      ['overview', 'calc/overview', (page) => page.waitForSelector('.stack')],
      ['map', 'calc/map', (page) => page.waitForSelector('.tile')],
      ['functions', 'calc/functions', (page) => page.waitForSelector('.rows .row')],
      [
        'a function with inlined code open',
        'calc/function/expression',
        async (page) => {
          await page.waitForSelector('table.code');
          for (const button of await page.locator('.inlined > button').all()) await button.click();
        },
      ],
    ];
    for (const [name, place, ready] of views) {
      it.each(MODES)(`axe finds no fault, and no page is too wide: ${name}, %s`, async (mode, options) => {
        const page = await browser.open(report, place, options);
        await ready(page);
        expect(await axeViolations(page)).toEqual([]);
        expect(await takePicture(page, `calc, ${name}, ${mode}`)).toBe(0);
        await browser.close(page);
      });
    }
  });

  it('shows the numbers that `show --json` prints', async () => {
    const profile = fixture('calc-x86_64', 'expected.afdo');
    const report = await makeReport('numbers.html', profile);
    const { stdout } = await runCli(['show', profile, '--json', '--all-functions']);
    const { functions } = JSON.parse(stdout.toString()) as { functions: JsonFunction[] };
    const page = await browser.open(report);
    for (const expected of functions) {
      await goTo(page, `expected.afdo/function/${expected.name}`);
      await page.getByRole('table', { name: `Lines of ${expected.name}`, exact: true }).waitFor();
      const facts = await page.locator('dl.facts div').allTextContents();
      const digits = (count: number) => count.toLocaleString('en');
      expect(facts).toContain(`Total${digits(expected.total)}`);
      expect(facts).toContain(`Entered${digits(expected.head)}`);
      expect(await shownLines(page)).toEqual(expectedLines(expected));
    }
    await browser.close(page);
  });

  it('tells that counts are inferred from addresses', async () => {
    const args = [
      '--binary',
      fixture('calc-x86_64', 'calc'),
      '--perfdata',
      fixture('calc-x86_64', 'perf.data'),
    ];
    const page = await browser.open(await makeReport('addresses.html', ...args, '--samples=addresses'));
    expect(await page.locator('.facts').textContent()).toContain('counts are inferred from their addresses');
    expect(await page.locator('.facts').textContent()).not.toContain('Density');
    expect(await page.locator('h2').allTextContents()).toContain('What became of the sampled addresses');
    expect(await axeViolations(page)).toEqual([]);
    await browser.close(page);
  });

  it('keeps all digits of counts beyond 2^53', async () => {
    const profile = folder.write('large-counts.prof', 'f:18446744073709551615:1\n 1: 9223372036854775809\n');
    const page = await browser.open(
      await makeReport('large-counts.html', profile),
      'large-counts.prof/function/f',
    );
    await page.waitForSelector('table.code');
    expect(await page.locator('td.count').textContent()).toBe('9,223,372,036,854,775,809');
    expect(await page.locator('dl.facts').textContent()).toContain('18,446,744,073,709,551,615');
    await browser.close(page);
  });

  it('runs no script from names or source', async () => {
    const names = [
      '<script>alert(1)</script>',
      '</script><script>alert(2)</script>',
      '<img src=x onerror=alert(3)>',
      '"><svg onload=alert(4)>',
      "'-alert(5)-'",
      'javascript:alert(6)',
      '<!--<script>',
      '{{alert(7)}}',
      'a\x1b\u202eb',
      '__proto__',
      `${'x'.repeat(5000)}end`,
    ].map((name) => name.replaceAll(' ', '\u00a0'));
    const text = names
      .map((name, index) => `${name}:${100 - index}:1\n 1: 5 ${name}:5\n 2: ${name}:5\n  1: 5\n`)
      .join('');
    const profile = folder.write('</title><script>alert(0)<.prof'.replaceAll('/', '∕'), text);
    const report = await makeReport('hostile.html', profile);
    const page = await browser.open(report);
    const id = encodeURIComponent('</title><script>alert(0)<.prof'.replaceAll('/', '∕'));
    for (const view of ['overview', 'map', 'functions']) {
      await goTo(page, `${id}/${view}`);
      await page.waitForTimeout(100);
    }
    const shown = names.map((name) =>
      name.length > 1000
        ? `${'x'.repeat(900)}…${'x'.repeat(97)}end`
        : name.replace('\x1b\u202e', '\ufffd\ufffd'),
    );
    expect(await page.locator('.column-name a').allTextContents()).toEqual(shown);
    for (const [index, name] of names.entries()) {
      await goTo(page, `${id}/function/${encodeURIComponent(name)}`);
      await expect.poll(() => page.locator('h1').textContent()).toBe(shown[index]);
      await page.locator('.inlined > button').first().click();
    }
    expect(await page.locator('main img, main svg, main script').count()).toBe(0);
    await browser.close(page);
  });

  it('does not run a script that was added to the file', async () => {
    const report = await makeReport('policy.html', fixture('calc-x86_64', 'expected.afdo'));
    const text = readFileSync(report, 'utf8');
    writeFileSync(
      report,
      text.replace(
        '</body>',
        '<script>document.title = "owned"</script><img src="http://127.0.0.1:9/x"></body>',
      ),
    );
    const page = await browser.open(report);
    expect(await page.title()).not.toBe('owned');
    expect(browser.problems.splice(0).join('\n')).toMatch(
      /violates the following Content Security Policy directive/,
    );
    await browser.close(page);
  });

  it('shows several binaries, and changes since a base profile', async () => {
    const [calc, shapes] = [fixture('calc-x86_64', 'expected.afdo'), fixture('shapes-cpp', 'expected.afdo')];
    const several = await browser.open(await makeReport('several.html', calc, shapes));
    await several.getByRole('combobox').selectOption('shapes-cpp/expected.afdo');
    await expect.poll(() => several.locator('h1').textContent()).toBe('shapes-cpp/expected.afdo');
    await browser.close(several);
    const base = folder.write(
      'base.prof',
      'main:10:1\n 1: 10\n_ZN2ns4goneEi:5:0\n 1: 5\noperand:4:1\n 1: 4\n',
    );
    const compared = await browser.open(
      await makeReport('compared.html', calc, '--base', base),
      'expected.afdo/changes',
    );
    const lost = (await compared.locator('section', { hasText: 'Lost' }).last().textContent()) ?? '';
    expect(lost).toContain('ns::gone(int)');
    expect(lost).toContain('operandnow inlined, with 80,115 samples');
    expect(await axeViolations(compared)).toEqual([]);
    await goTo(compared, 'expected.afdo/function/main');
    await expect.poll(() => compared.locator('td.base', { hasText: '10' }).count()).toBe(1);
    expect(await axeViolations(compared)).toEqual([]);
    await browser.close(compared);
  });

  it('calls as many functions for a step of a scroll through 20,000 functions as through 2,000', async () => {
    const [few, many] = [await workOf(2_000), await workOf(20_000)];
    expect(few.scroll).toBeGreaterThan(100);
    // A slow browser may draw a step in more frames.
    expect(many.scroll).toBeLessThan(3 * few.scroll);
    // For ten times as many functions, opening and searching may take at most about ten times as many calls.
    expect(many.open).toBeLessThan(11 * few.open);
    expect(many.search).toBeLessThan(11 * few.search);
  }, 300_000);

  async function workOf(functions: number): Promise<PageWork> {
    const profile = folder.write(`work-${functions}.prof`, largeProfile(functions));
    const page = await browser.open(await makeReport(`work-${functions}.html`, profile));
    try {
      return await pageWork(page);
    } finally {
      await browser.close(page);
    }
  }

  it('shows 20,000 functions, and draws only those on the screen', async () => {
    const profile = folder.write('large.prof', largeProfile(20_000));
    const page = await browser.open(await makeReport('large.html', profile), 'large.prof/functions');
    await expect.poll(() => page.getByRole('status').textContent()).toMatch(/^20,\d{3} functions$/);
    expect(await page.locator('.rows .row').count()).toBeLessThan(100);
    const scroll = page.locator('.scroll');
    await scroll.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await expect
      .poll(() => page.locator('.rows .row').last().getAttribute('aria-rowindex'))
      .toMatch(/^20\d{3}$/);
    await page.getByRole('searchbox').fill('large_function_19999');
    await page.getByRole('link', { name: 'large_function_19999' }).click();
    await page.getByRole('table', { name: 'Lines of large_function_19999' }).waitFor();
    await browser.close(page);
  }, 120_000);
});
