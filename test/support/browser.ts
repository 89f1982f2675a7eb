import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Names that packages give to the browser. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that `CHROMIUM` names, or one on the path; undefined if there is none. */
export function browserPath(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const candidates = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts the browser. Its sandbox does not work for root, and in most containers. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath() ?? 'chromium', args: ['--no-sandbox'] });
}
