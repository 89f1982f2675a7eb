import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes one scratch folder for the whole run. With AUTOFDO_KEEP=1 the folder stays, so that differences can be
 * examined.
 */
export default function setup(): () => void {
  const scratch = mkdtempSync(join(tmpdir(), 'autofdo-gen-differential-'));
  process.env['AUTOFDO_SCRATCH'] = scratch;
  return () => {
    if (process.env['AUTOFDO_KEEP']) console.log(`kept ${scratch}`);
    else rmSync(scratch, { recursive: true, force: true });
  };
}
