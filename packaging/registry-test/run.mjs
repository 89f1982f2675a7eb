// Publishes the tarballs in release/ into a registry on the loopback, and uses them as a user does: with Node and
// nothing else. `npm run release -- --host` makes the tarballs. The last line of the output tells how many checks
// passed and failed.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RELEASE, ROOT, run } from '../files.mjs';
import { FOREIGN_NODES } from './foreign-nodes.mjs';
import { startRegistry } from './registry.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const TOOLS = join(HERE, 'node_modules');
const FIXTURE = join(ROOT, 'fixtures/calc-x86_64');
const JOB = [join(FIXTURE, 'calc'), join(FIXTURE, 'perf.data')];
const FLAGS = [
  '--binary',
  join(FIXTURE, 'calc'),
  '--perfdata',
  join(FIXTURE, 'perf.data'),
  '--format',
  'text',
];
/** Major versions of Node that `package.json` beside this file installs. */
const NODES = ['20', '22', '24', '26'];

/**
 * Bundles with esbuild, by the options in the first argument, which is JSON. The addon is a package that stays
 * outside of the bundle.
 */
const ESBUILD = `
  const options = { bundle: true, platform: 'node', target: 'node20', logLevel: 'error', external: ['@autofdo-gen/*'] };
  require('${join(TOOLS, 'esbuild')}').buildSync({ ...options, ...JSON.parse(process.argv[1]) });
`;

const tarballs = existsSync(RELEASE) ? readdirSync(RELEASE).filter((name) => name.endsWith('.tgz')) : [];
const main = tarballs.find((name) => !name.startsWith('autofdo-gen-binding-'));
if (main === undefined) {
  console.error(`error: ${RELEASE} has no tarball of autofdo-gen; \`npm run release -- --host\` makes it`);
  process.exit(1);
}

const work = mkdtempSync(join(tmpdir(), 'autofdo-gen-registry-'));
let passed = 0;
let failed = 0;

/**
 * Runs `body` and counts a pass, or a failure if it throws. Returns true if it passed.
 * @param {string} name
 * @param {() => void} body
 */
function check(name, body) {
  try {
    body();
    passed++;
    console.log(`ok    ${name}`);
    return true;
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/**
 * Runs a program with a PATH that holds only Node, npm and npx, and returns its output. The program must end with
 * `status`.
 * @param {string} node Major version of the Node to run under, or its platform if it is of another platform.
 * @param {string} cwd
 * @param {readonly string[]} command
 */
function shell(node, cwd, [program = '', ...args], status = 0) {
  const path = nodeFolder(node);
  const foreign = FOREIGN_NODES.find(({ platform }) => platform === node);
  const env = {
    PATH: path,
    HOME: work,
    npm_config_registry: registry.url,
    // npx keeps installed packages in the cache, also addons of the platform on which it ran.
    npm_config_cache: join(work, `npm-cache-${foreign?.platform ?? 'host'}`),
    ...(foreign && { npm_config_libc: foreign.libc }),
    // npm needs a shell for scripts. The package itself needs no such program.
    npm_config_script_shell: '/bin/sh',
    npm_config_audit: 'false',
    npm_config_update_notifier: 'false',
  };
  const found = existsSync(join(path, program)) ? join(path, program) : program;
  const result = spawnSync(found, args, { cwd, env, encoding: 'utf8', timeout: 300_000 });
  if (result.error !== undefined) throw result.error;
  const output = `${result.stdout}${result.stderr}`;
  if (result.status !== status)
    throw new Error(`${program} ${args.join(' ')} ended with ${result.status}\n${output}`);
  return output;
}

/**
 * Makes a folder with one Node, npm and npx, and nothing else.
 * @param {string} name Major version of the Node, or its platform.
 */
function nodeFolder(name) {
  const folder = join(work, `node-${name}`);
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  const foreign = FOREIGN_NODES.find(({ platform }) => platform === name);
  if (foreign === undefined) {
    symlinkSync(join(TOOLS, `node-${name}/bin/node`), join(folder, 'node'));
  } else {
    const command = foreign.install(emptyFolder(`unpacked-${name}`)).map((word) => `'${word}'`);
    writeFileSync(join(folder, 'node'), `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`, { mode: 0o755 });
  }
  for (const tool of ['npm', 'npx']) symlinkSync(join(TOOLS, `npm/bin/${tool}-cli.js`), join(folder, tool));
  return folder;
}

/**
 * Returns the command of the TypeScript compiler, strict, with the given resolution of modules.
 * @param {'node16' | 'bundler'} resolution
 */
function tsc(resolution) {
  const module = resolution === 'node16' ? 'node16' : 'esnext';
  const flags = ['--strict', '--target', 'es2023', '--module', module, '--moduleResolution', resolution];
  return [join(TOOLS, 'typescript/bin/tsc'), ...flags, '--types', 'node'];
}

/** @param {string} name */
function emptyFolder(name) {
  const folder = join(work, name);
  mkdirSync(folder);
  return folder;
}

/** @param {string} path */
function expectFixtureProfile(path) {
  const same = readFileSync(path).equals(readFileSync(join(FIXTURE, 'expected.prof')));
  if (!same) throw new Error(`${path} is not the profile of the fixture`);
}

/** @param {boolean} holds @param {string} problem */
function expect(holds, problem) {
  if (!holds) throw new Error(problem);
}

/**
 * Compiles, bundles and runs the examples with the installed package.
 * @param {string} project
 */
function checkProject(project) {
  check('examples compile with node16 resolution, .mts and .cts', () => {
    shell('20', project, [
      'node',
      ...tsc('node16'),
      '--outDir',
      'node16',
      'generate.mts',
      'generate.cts',
      'hot-lines.mts',
    ]);
  });
  check('examples compile with bundler resolution', () => {
    shell('20', project, ['node', ...tsc('bundler'), '--outDir', 'bundler', 'generate.mts']);
  });
  check('esbuild bundles to CommonJS, without the addon', () => {
    shell('20', project, [
      'node',
      '-e',
      ESBUILD,
      JSON.stringify({ format: 'cjs', outfile: 'bundle/main.cjs', entryPoints: ['generate.cjs'] }),
    ]);
  });
  check('esbuild bundles to an ES module, without the addon', () => {
    const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    shell('20', project, [
      'node',
      '-e',
      ESBUILD,
      JSON.stringify({
        format: 'esm',
        outfile: 'bundle/main.mjs',
        entryPoints: ['generate.mts'],
        banner: { js },
      }),
    ]);
  });
  for (const node of NODES) {
    for (const script of [
      'generate.cjs',
      'node16/generate.mjs',
      'node16/generate.cjs',
      'bundler/generate.mjs',
      'bundle/main.cjs',
      'bundle/main.mjs',
    ]) {
      check(`${script} under Node ${node}`, () => {
        shell(node, project, ['node', script, ...JOB, 'out.prof']);
        expectFixtureProfile(join(project, 'out.prof'));
        rmSync(join(project, 'out.prof'));
      });
    }
  }
  check('hot-lines.mjs prints the lines of a program', () => {
    const output = shell('20', project, ['node', 'node16/hot-lines.mjs', ...JOB]);
    expect(/^\.\.\/src\/calc\.c:\d+ \d+ expression$/m.test(output), output);
  });
  check('report writes a page', () => {
    shell('20', project, [
      'npx',
      'autofdo-gen',
      'report',
      join(FIXTURE, 'expected.afdo'),
      '-o',
      'report.html',
    ]);
    const page = readFileSync(join(project, 'report.html'), 'utf8');
    expect(page.startsWith('<!doctype html>') && page.includes('id="block-0-0"'), page.slice(0, 400));
  });
  check('stale-profile.sh passes a profile of the same load', () => {
    copyFileSync(join(FIXTURE, 'expected.afdo'), join(project, 'in-use.afdo'));
    shell('22', project, ['/bin/sh', 'stale-profile.sh', 'in-use.afdo', ...JOB]);
  });
  check('stale-profile.sh fails a profile of another load', () => {
    copyFileSync(join(ROOT, 'fixtures/shapes-cpp/expected.afdo'), join(project, 'in-use.afdo'));
    const output = shell('22', project, ['/bin/sh', 'stale-profile.sh', 'in-use.afdo', ...JOB], 1);
    expect(output.includes('similarity'), output);
  });
  check('kernel.sh makes a profile', () => {
    const [vmlinux = '', recording = ''] = JOB;
    shell('22', project, ['/bin/sh', 'kernel.sh', vmlinux, recording, 'kernel.afdo']);
    const same = readFileSync(join(project, 'kernel.afdo')).equals(
      readFileSync(join(FIXTURE, 'expected.afdo')),
    );
    expect(same, 'kernel.afdo is not the profile of the fixture');
  });

  check('the addon needs no more than baseline x86-64', () => {
    // This CPU has no SSSE3, SSE4 or POPCNT, so any code for x86-64-v2 or later ends the program.
    const node = join(TOOLS, 'node-22/bin/node');
    const command = join(project, 'node_modules/autofdo-gen/dist/cli/main.js');
    const output = join(project, 'baseline.prof');
    run('qemu-x86_64', ['-cpu', 'qemu64', node, command, ...FLAGS, '-o', output]);
    expectFixtureProfile(output);
  });
}

run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: HERE });
const registry = await startRegistry(TOOLS, join(work, 'registry'));
try {
  // The registry accepts any token, but npm requires one.
  const token = `--//${new URL(registry.url).host}/:_authToken=anyone`;
  for (const name of tarballs) {
    run('npm', [
      'publish',
      join(RELEASE, name),
      '--registry',
      registry.url,
      token,
      '--access',
      'public',
      '--silent',
    ]);
  }

  for (const node of NODES) {
    check(`npx autofdo-gen under Node ${node}`, () => {
      const folder = emptyFolder(`npx-${node}`);
      shell(node, folder, ['npx', '--yes', 'autofdo-gen', ...FLAGS, '-o', 'calc.prof']);
      expectFixtureProfile(join(folder, 'calc.prof'));
      expect(readdirSync(folder).length === 1, `npx left ${readdirSync(folder).join(', ')}`);
    });
  }

  const project = emptyFolder('project');
  const isInstalled = check('npm install', () => {
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
    shell('20', project, ['npm', 'install', 'autofdo-gen']);
    cpSync(join(ROOT, 'examples'), project, { recursive: true });
    symlinkSync(join(TOOLS, '@types'), join(project, 'node_modules/@types'));
  });
  if (isInstalled) checkProject(project);
  else console.log('skip  all that needs the installed package');

  check('npm install -g links the command and the man page', () => {
    const prefix = emptyFolder('global');
    shell('22', prefix, ['npm', 'install', '--global', '--prefix', prefix, 'autofdo-gen']);
    for (const path of ['bin/autofdo-gen', 'share/man/man1/autofdo-gen.1'])
      expect(existsSync(join(prefix, path)), `${path} is missing`);
  });
  check('without the optional package, the error says so', () => {
    const folder = emptyFolder('omitted');
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    shell('22', folder, ['npm', 'install', 'autofdo-gen', '--omit=optional']);
    const output = shell('22', folder, ['npx', 'autofdo-gen', ...FLAGS, '-o', 'calc.prof'], 1);
    expect(
      /@autofdo-gen\/binding-linux-x64-gnu, which has the native addon, is not installed/.test(output),
      output,
    );
    expect(output.includes('npm install --include=optional'), output);
    shell('22', folder, ['npm', 'install', '--include=optional']);
    shell('22', folder, ['npx', 'autofdo-gen', ...FLAGS, '-o', 'calc.prof']);
  });

  for (const foreign of FOREIGN_NODES) {
    const name = `npx autofdo-gen on ${foreign.platform}`;
    if (!tarballs.some((tarball) => tarball.includes(`-binding-${foreign.platform}-`))) {
      console.log(`skip  ${name}: release/ has no tarball for it`);
      continue;
    }
    check(name, () => {
      const folder = emptyFolder(foreign.platform);
      shell(foreign.platform, folder, ['npx', '--yes', 'autofdo-gen', ...FLAGS, '-o', 'calc.prof']);
      expectFixtureProfile(join(folder, 'calc.prof'));
    });
  }
  check('publint', () => {
    const output = shell('22', work, [
      'node',
      join(TOOLS, 'publint/src/cli.js'),
      '--strict',
      join(RELEASE, main),
    ]);
    expect(output.includes('All good!'), output);
  });
  check('are the types wrong?', () => {
    shell('22', work, ['node', join(TOOLS, '@arethetypeswrong/cli/dist/index.js'), join(RELEASE, main)]);
  });
} finally {
  registry.stop();
  rmSync(work, { recursive: true, force: true });
}
console.log(`registry-test: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
