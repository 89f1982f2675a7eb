import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Names of the browser's program in packages. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Returns the path of the browser that `CHROMIUM` names, or of one on the PATH. Returns `undefined` if there is
 * none.
 */
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

/** Starts the browser without its sandbox, which does not work for root, nor in most containers. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath() ?? 'chromium', args: ['--no-sandbox'] });
}
