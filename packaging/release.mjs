// Makes everything that a publish needs in release/, and lists it: `npm run release`, or `npm run release --
// --host` for the platform of this machine only. The exit status is 1 if a platform had to be left out.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { buildAddon } from './addon.mjs';
import { addonPath, run } from './files.mjs';
import { packRelease } from './pack.mjs';
import { hostTarget, TARGETS } from './targets.mjs';

const wanted = process.argv.includes('--host') ? [hostTarget()] : TARGETS;
const skipped = [];
const built = [];
for (const target of wanted) {
  const reason = buildAddon(target);
  if (reason === undefined) built.push(target);
  else skipped.push(`${target.platform}: ${reason}`);
}
run('npm', ['run', '--silent', 'build:ts'], { stdio: 'inherit' });
const [main, ...tarballs] = await packRelease(built);
const kilobytes = (/** @type {string} */ path) => `${(statSync(path).size / 1000).toFixed(0)} kB`;
const rows = [
  ['package', 'tarball', 'addon', 'runs on'],
  [basename(main ?? ''), kilobytes(main ?? ''), '', 'Node 20.19'],
];
built.forEach((target, i) => {
  const tarball = tarballs[i] ?? '';
  rows.push([
    basename(tarball),
    kilobytes(tarball),
    kilobytes(addonPath(target)),
    `${target.baseline}, ${target.cpu}`,
  ]);
});
for (const [name = '', ...cells] of rows)
  console.log(name.padEnd(52), ...cells.map((cell) => cell.padEnd(10)));
for (const reason of skipped) console.log(`left out: ${reason}`);
if (skipped.length > 0) process.exitCode = 1;
