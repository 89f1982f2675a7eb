import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser } from './browser.js';

/** A function in `show --json`. */
export interface JsonFunction {
  name: string;
  total: number;
  head: number;
  body?: {
    line: number;
    discriminator?: number;
    samples: number;
    calls?: { function: string; samples: number }[];
  }[];
  callsites?: { line: number; samples: { name: string; total: number }[] }[];
}

/** A browser that notes all faults in reports. */
export class ReportBrowser {
  /** Messages of the console, exceptions, dialogs, and requests for anything other than the report. */
  readonly problems: string[] = [];
  #browser: Browser | undefined;

  async start(): Promise<void> {
    this.#browser = await launchBrowser();
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
  }

  /** Opens a report at a place in it. */
  async open(path: string, place = '', options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error('the browser was not started');
    const page = await this.#browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    const url = pathToFileURL(path).href;
    page.on('console', (message) => this.problems.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.problems.push(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.problems.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) this.problems.push(`request: ${request.url()}`);
    });
    await page.goto(`${url}#/${place}`);
    await page.waitForSelector('h1');
    return page;
  }

  /** Closes a page. Fails if the page had a fault. */
  async close(page: Page): Promise<void> {
    await page.close();
    expect(this.problems.splice(0)).toEqual([]);
  }
}

/** Changes the address of the page as a link does. */
export function goTo(page: Page, place: string): Promise<unknown> {
  return page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
}

/** Returns each row of a function's lines, in words. */
export function shownLines(page: Page): Promise<string[]> {
  return page.locator('table.code > tbody > tr').evaluateAll((rows) =>
    rows.map((row) => {
      const texts = (selector: string) =>
        [...row.querySelectorAll(selector)].map((element) => (element.textContent ?? '').trim());
      const text = (selector: string) => texts(selector)[0] ?? '';
      return [
        text('th'),
        text('td.count'),
        ...texts('[aria-label="Counts by discriminator"] li'),
        ...texts('.inlined > button').map((button) =>
          button
            .replace('▸ ', '')
            .replace(/ \.\d+/, '')
            .replace(/ +/g, ' '),
        ),
        ...texts('[aria-label="Calls"] li').map((call) => call.replace(/ [\d.]+ %$/, '')),
      ].join('; ');
    }),
  );
}

/** Returns the rows that {@link shownLines} must return for a function in `show --json`. */
export function expectedLines({ body = [], callsites = [] }: JsonFunction): string[] {
  const signed = (line: number) => (line < 0x8000 ? line : line - 0x10000);
  const numbers = new Set([...body, ...callsites].map(({ line }) => signed(line)));
  const digits = (count: number) => count.toLocaleString('en');
  return [...numbers]
    .sort((a, b) => a - b)
    .map((number) => {
      const counts = body.filter(({ line }) => signed(line) === number);
      const calls = new Map<string, number>();
      for (const call of counts.flatMap(({ calls: all = [] }) => all)) {
        calls.set(call.function, (calls.get(call.function) ?? 0) + call.samples);
      }
      const split = counts.some(({ discriminator }) => discriminator !== undefined);
      return [
        `${number < 0 ? '−' : '+'}${Math.abs(number)}`,
        counts.length === 0 ? '' : digits(Math.max(...counts.map(({ samples }) => samples))),
        ...(split
          ? counts.map(({ discriminator = 0, samples }) => `.${discriminator} ${digits(samples)}`)
          : []),
        ...callsites
          .filter(({ line }) => signed(line) === number)
          .flatMap(({ samples }) => samples.map(({ name, total }) => `inlined ${name} ${digits(total)}`)),
        ...[...calls].sort((a, b) => b[1] - a[1]).map(([name, count]) => `calls ${name} ${digits(count)}`),
      ].join('; ');
    });
}
