import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One scratch folder for the whole run; AUTOFDO_KEEP=1 leaves it for a look at what differed. */
export default function setup(): () => void {
  const scratch = mkdtempSync(join(tmpdir(), 'autofdo-gen-differential-'));
  process.env['AUTOFDO_SCRATCH'] = scratch;
  return () => {
    if (process.env['AUTOFDO_KEEP']) console.log(`kept ${scratch}`);
    else rmSync(scratch, { recursive: true, force: true });
  };
}
