// Measures how fast the page of `report` is with 20,000 functions: the time until it shows something, and the
// longest frame while it is scrolled and searched. Usage: npm run bench:page [-- REPORT.html]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { largeProfile } from '../support/large-profile.js';

const RUNS = 5;
const FUNCTIONS = 20_000;

/** Script that runs before the page's own code, and keeps the time at which the page's heading was drawn. */
const WHEN_SHOWN = `{
  const observer = new MutationObserver(() => {
    if (document.querySelector('h1') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { globalThis.shown = performance.now(); }));
  });
  observer.observe(document, { childList: true, subtree: true });
}`;

/** Script that keeps the longest time between two frames. */
const WATCH_FRAMES = `{
  let last = performance.now();
  globalThis.longest = 0;
  globalThis.watching = true;
  const tick = (now) => {
    globalThis.longest = Math.max(globalThis.longest, now - last);
    last = now;
    if (globalThis.watching) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}`;

const folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-bench-'));
const given = process.argv[2];
const report = given === undefined ? makeReport() : resolve(given);
const browser = await launchBrowser();
try {
  const measured = new Map<string, number[]>();
  for (let run = 0; run < RUNS; run++) {
    for (const [name, milliseconds] of Object.entries(await measure())) {
      measured.set(name, [...(measured.get(name) ?? []), milliseconds]);
    }
  }
  for (const [name, times] of measured) {
    const sorted = times.sort((a, b) => a - b);
    const median = sorted[Math.floor(RUNS / 2)] ?? 0;
    console.log(
      `${name.padEnd(44)}${median.toFixed(0).padStart(6)} ms   worst ${sorted.at(-1)?.toFixed(0)} ms`,
    );
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

function makeReport(): string {
  const [profile, page] = [join(folder, 'large.prof'), join(folder, 'large.html')];
  writeFileSync(profile, largeProfile(FUNCTIONS));
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', 'report', profile, '-o', page, '-q'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the report could not be made');
  return page;
}

async function measure(): Promise<Record<string, number>> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(WHEN_SHOWN);
  await page.goto(pathToFileURL(report).href);
  await page.waitForFunction('globalThis.shown !== undefined');
  const shown = await page.evaluate<number>('globalThis.shown');
  const paint = await page.evaluate<number>(
    `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
  );
  await page.getByRole('link', { name: 'Functions', exact: true }).click();
  await page.waitForSelector('.rows .row');
  const scrolling = await longestFrame(page, async () => {
    for (let step = 0; step < 60; step++) {
      await page.evaluate(`document.querySelector('.scroll').scrollBy(0, ${step % 2 === 0 ? 1500 : 40000})`);
      await page.waitForTimeout(20);
    }
  });
  const searching = await longestFrame(page, async () => {
    await page.getByRole('searchbox').pressSequentially('function_1 large', { delay: 40 });
  });
  const sorting = await longestFrame(page, async () => {
    await page.getByRole('searchbox').fill('');
    for (const name of ['Self', 'Function', 'Entered']) {
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
      await page.waitForTimeout(100);
    }
  });
  const map = await longestFrame(page, async () => {
    await page.getByRole('link', { name: 'Map', exact: true }).click();
    await page.waitForSelector('.tile');
  });
  await page.close();
  return {
    'first paint': paint,
    'overview shown': shown,
    'longest frame while scrolling': scrolling,
    'longest frame while searching': searching,
    'longest frame while sorting': sorting,
    'longest frame while the map opens': map,
  };
}

/** Returns the longest time between two frames during an action. */
async function longestFrame(page: Page, action: () => Promise<void>): Promise<number> {
  await page.evaluate(WATCH_FRAMES);
  await action();
  await page.evaluate(
    'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
  );
  return page.evaluate<number>('globalThis.watching = false, globalThis.longest');
}
