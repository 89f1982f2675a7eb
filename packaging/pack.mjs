// Packs everything that a publish needs into release/: the main package, and one package for each addon in
// native/binding. `node packaging/pack.mjs` needs all addons. `node packaging/pack.mjs PLATFORM...` packs the
// addons of these platforms, and `node packaging/pack.mjs --host` packs the addon of this machine.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkAddon } from './check-addon.mjs';
import { checkTarball } from './check-tarball.mjs';
import { addonPath, packageName, RELEASE, ROOT, readJson, run } from './files.mjs';
import { thirdPartyLicences } from './licences.mjs';
import { hostTarget, TARGETS, targetNamed } from './targets.mjs';

const STAGE = join(RELEASE, 'stage');

/**
 * Packs the main package and those of `targets`. Returns the paths of the tarballs, the main package first.
 * @param {readonly import('./targets.mjs').Target[]} targets
 */
export async function packRelease(targets) {
  rmSync(RELEASE, { recursive: true, force: true });
  const manifest = { ...readJson(join(ROOT, 'package.json')), ...repository() };
  const folders = [
    await stageMain(manifest, targets),
    ...targets.map((target) => stageAddon(manifest, target)),
  ];
  const tarballs = folders.map(pack);
  rmSync(STAGE, { recursive: true });
  for (const tarball of tarballs) checkTarball(tarball);
  return tarballs;
}

/**
 * Returns the repository in which the release workflow runs. npm accepts provenance only from the repository that
 * the package names.
 */
function repository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  return name === undefined ? {} : { repository: { type: 'git', url: `git+${server}/${name}.git` } };
}

/**
 * @param {Record<string, any>} manifest
 * @param {readonly import('./targets.mjs').Target[]} targets
 */
async function stageMain(manifest, targets) {
  const { devDependencies: _, scripts: _scripts, napi: _napi, ...published } = manifest;
  const folder = join(STAGE, 'autofdo-gen');
  const optionalDependencies = Object.fromEntries(
    targets.map((target) => [packageName(target), manifest['version']]),
  );
  const copy = (/** @type {string} */ path) =>
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  for (const path of manifest['files']) copy(path);
  for (const path of ['README.md', 'LICENSE']) copy(path);
  keepPublicTypes(join(folder, 'dist'));
  await writeShellFiles(folder, manifest['version']);
  const files = [...manifest['files'], 'completions', 'man'];
  // npm installs man pages only if they are in a list.
  const man = ['./man/autofdo-gen.1'];
  writeFileSync(join(folder, 'package.json'), json({ ...published, files, man, optionalDependencies }));
  return folder;
}

/** Writes the completions and the man page. Their source is in `packaging/shell`. */
async function writeShellFiles(/** @type {string} */ folder, /** @type {string} */ version) {
  const built = join(STAGE, 'write.mjs');
  const flags = ['--platform', 'node', '--format', 'esm', '--log-level', 'silent'];
  run('npx', ['rolldown', 'packaging/shell/write.ts', ...flags, '--file', built]);
  (await import(pathToFileURL(built).href)).writeShellFiles(folder, version);
}

/** Removes declarations that no public declaration refers to, because they are internal. */
function keepPublicTypes(/** @type {string} */ dist) {
  const wanted = new Set();
  const queue = ['index.d.ts', 'index.d.mts'].map((name) => join(dist, name));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (wanted.has(path) || !path.startsWith(dist)) continue;
    wanted.add(path);
    for (const [, request] of readFileSync(path, 'utf8').matchAll(
      /(?:from|import\() ?['"](\.[^'"]+)\.js['"]/g,
    )) {
      queue.push(join(dirname(path), `${request}.d.ts`));
    }
  }
  for (const name of run('find', [dist, '-name', '*.d.ts']).trim().split('\n')) {
    if (!wanted.has(name)) rmSync(name);
  }
  run('find', [dist, '-type', 'd', '-empty', '-delete']);
}

/**
 * @param {Record<string, any>} manifest
 * @param {import('./targets.mjs').Target} target
 */
function stageAddon(manifest, target) {
  const { name, version, license, keywords, engines, repository } = manifest;
  const file = relative(join(ROOT, 'native/binding'), addonPath(target));
  if (!existsSync(addonPath(target)))
    throw new Error(`${addonPath(target)} was not built: run node packaging/addon.mjs`);
  checkAddon(target, addonPath(target));
  const folder = join(STAGE, target.platform);
  mkdirSync(folder, { recursive: true });
  cpSync(addonPath(target), join(folder, file));
  cpSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicences(target));
  writeFileSync(
    join(folder, 'README.md'),
    `# ${packageName(target)}\n\nThe compiled part of the npm package \`${name}\` for ` +
      `${target.triple} (${target.baseline} or later). npm installs it with ${name} where it fits.\n`,
  );
  const libc = target.libc === undefined ? {} : { libc: [target.libc] };
  const description = `The compiled part of ${name} for ${target.triple}`;
  const fits = { os: [target.os], cpu: [target.cpu], ...libc };
  writeFileSync(
    join(folder, 'package.json'),
    json({
      name: packageName(target),
      version,
      description,
      keywords,
      license,
      repository,
      engines,
      ...fits,
      main: file,
      files: [file, 'THIRD-PARTY-LICENSES.txt'],
    }),
  );
  return folder;
}

function pack(/** @type {string} */ folder) {
  const printed = run('npm', ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', RELEASE]);
  const [{ filename }] = Object.values(JSON.parse(printed));
  return join(RELEASE, filename);
}

function json(/** @type {unknown} */ value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const named = process.argv.slice(2).map((name) => (name === '--host' ? hostTarget() : targetNamed(name)));
  for (const tarball of await packRelease(named.length > 0 ? named : TARGETS))
    console.log(relative(ROOT, tarball));
}
