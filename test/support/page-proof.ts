import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Script that resolves to axe's findings: the rule, and the elements that break the rule. */
const AXE_RUN = `axe.run(document).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')))`;

/** Folder for pictures of pages, which people can look at. */
const PICTURES = fileURLToPath(new URL('../../node_modules/.cache/report-pages', import.meta.url));

/** Modes in which a page is tested. */
export const MODES: readonly [name: string, options: BrowserContextOptions][] = [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['on a phone', { viewport: { width: 390, height: 800 }, isMobile: true }],
];

/**
 * Returns axe's findings about a page. The page's policy allows no script element, but the protocol of the
 * browser's tools may run code.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate<string[]>(AXE_RUN);
}

/** Takes a picture of a whole page. Returns the number of pixels by which the page is wider than the window. */
export async function takePicture(page: Page, name: string): Promise<number> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name.replace(/\W+/g, '-')}.png`), fullPage: true });
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/**
 * Number of calls of the page's own functions. It measures how much the page computes, and is the same on each
 * machine.
 */
export interface PageWork {
  /** Number of calls until the overview is shown. */
  open: number;
  /** Number of calls for the most expensive step of a scroll through all functions. */
  scroll: number;
  /** Number of calls for the most expensive letter of a search. */
  search: number;
}

/** Counts the work of a report's page on which nothing has been clicked yet. */
export async function pageWork(page: Page): Promise<PageWork> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  /** Returns the number of calls since the last time, without calls of the test's own code. */
  const calls = async () => {
    const { result } = await session.send('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => url === page.url().replace(/#.*/, ''))
      .flatMap(({ functions }) => functions.map(({ ranges }) => ranges[0]?.count ?? 0))
      .reduce((sum, count) => sum + count, 0);
  };
  const most = async (steps: (() => Promise<unknown>)[]) => {
    let largest = 0;
    for (const step of steps) {
      await calls();
      await step();
      await page.evaluate(
        'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
      );
      largest = Math.max(largest, await calls());
    }
    return largest;
  };
  const open = await most([() => page.reload().then(() => page.waitForSelector('h1'))]);
  await page.getByRole('link', { name: 'Functions', exact: true }).click();
  await page.waitForSelector('.rows .row');
  const distances = Array.from({ length: 30 }, (_, step) => (step % 2 === 0 ? 1500 : 40_000));
  const scroll = await most(
    distances.map(
      (pixels) => () => page.evaluate(`document.querySelector('.scroll').scrollBy(0, ${pixels})`),
    ),
  );
  await page.getByRole('searchbox').focus();
  const search = await most([...'function_1'].map((letter) => () => page.keyboard.press(letter)));
  return { open, scroll, search };
}
