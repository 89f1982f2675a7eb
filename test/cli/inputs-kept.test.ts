import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { convertProfile, generateProfile, mergeProfiles } from '../../src/index.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Makes a folder with one input of each kind, and links to the inputs. */
function inputs(name: string): string {
  const folder = join(temporary.path, name);
  mkdirSync(join(folder, 'sub'), { recursive: true });
  const at = (file: string) => join(folder, file);
  copyFileSync(calc.binary, at('app'));
  copyFileSync(calc.perfData, at('perf.data'));
  copyFileSync(fixturePath(calc, 'expected.prof'), at('a.prof'));
  copyFileSync(fixturePath(calc, 'expected.afdo'), at('b.afdo'));
  cpSync(at('app'), at('app.debug'));
  cpSync(at('app'), at('app.dwp'));
  temporary.write(join(name, 'list'), 'a.prof\n2,b.afdo\n');
  temporary.write(join(name, 'names'), 'main\n');
  temporary.write(join(name, 'text'), '0x1 0x2/0x3/P/-/-/0\n');
  temporary.write(join(name, 'counters'), '1\n1000-1010:1\n0\n');
  linkSync(at('a.prof'), at('hard'));
  symlinkSync('a.prof', at('soft'));
  symlinkSync('../sub/../soft', at('sub/softer'));
  cpSync(fixturePath(calc, '../src'), at('source'), { recursive: true });
  symlinkSync('source/calc.c', at('link.c'));
  temporary.write(join(name, 'shard.parquet'), 'PAR1 PAR1');
  return folder;
}

/** Returns all files of a folder with their contents. */
function contents(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const path = (entry: (typeof names)[number]) => join(entry.parentPath, entry.name);
  return new Map(names.map((entry) => [path(entry), readFileSync(path(entry), 'latin1')]));
}

const GENERATE = ['--binary', 'app', '--perfdata', 'perf.data'];

describe('a result never replaces an input', () => {
  it.each<[string, string[]]>([
    ['the binary', [...GENERATE, '-o', 'app']],
    ['the recording', [...GENERATE, '-o', 'perf.data']],
    ['the recording, by another way', [...GENERATE, '-o', 'sub/../perf.data']],
    ['the recording, as counters', [...GENERATE, '--skip-symbolization', '-o', 'perf.data']],
    ['the recording, with --compat', [...GENERATE, '--compat=llvm-profgen', '-o', './perf.data']],
    ['the second recording', [...GENERATE, '--perfdata', 'copy.data', '-o', 'copy.data']],
    ['a debug binary', [...GENERATE, '--debug-binary', 'app.debug', '-o', 'app.debug']],
    ['a DWARF package', [...GENERATE, '--dwp', 'app.dwp', '-o', 'app.dwp']],
    ['a debug file that may be found', [...GENERATE, '-o', 'app.debug']],
    ['a text', ['--binary', 'app', '--perfscript', 'text', '-o', 'text']],
    ['counters', ['--binary', 'app', '--unsymbolized-profile', 'counters', '-o', 'counters']],
    ['a finished profile', ['--binary', 'app', '--llvm-sample-profile', 'a.prof', '-o', 'hard']],
    ['a merge input', ['merge', 'b.afdo', 'a.prof', '-o', 'a.prof']],
    ['a merge input by a hard link', ['merge', 'a.prof', 'b.afdo', '-o', 'hard']],
    ['a merge input by a link to a link', ['merge', 'a.prof', 'b.afdo', '-o', 'sub/softer']],
    ['a merge input that was named by a link', ['merge', 'soft', '-o', 'a.prof']],
    ['a weighted input', ['merge', 'a.prof', '--weighted-input=2,b.afdo', '-o', 'b.afdo']],
    ['a list', ['merge', '--input-files=list', '-o', 'list']],
    ['a listed input', ['merge', '--input-files=list', '-o', 'b.afdo']],
    ['names for the symbol list', ['merge', 'a.prof', '--prof-sym-list=names', '-o', 'names']],
    ['a binary, with profiles', ['merge', 'a.prof', '-o', 'app']],
    ['a recording, with profiles', ['merge', 'a.prof', '-o', 'perf.data']],
    ['what is converted', ['convert', 'a.prof', '--binary', '-o', 'soft']],
    ['trace shards', ['--binary', 'app', '--traces', 'shard.parquet', '-o', 'shard.parquet']],
    ['a recording, with trace shards', ['collect', '--perfdata', 'r.parquet', '-o', 'r.parquet']],
    ['what is shown', ['show', 'b.afdo', '-o', 'b.afdo']],
    ['the first of compared profiles', ['overlap', 'a.prof', 'b.afdo', '-o', 'soft']],
    ['the second of compared profiles', ['overlap', 'b.afdo', 'a.prof', '-o', 'sub/softer']],
    ['a reported profile', ['report', 'a.prof', '--text', '-o', 'hard']],
    ['a base profile', ['report', 'b.afdo', '--base', 'a.prof', '--text', '-o', 'soft']],
    ['a reported recording', ['report', ...GENERATE, '--text', '-o', 'perf.data']],
    ['a reported text', ['report', '--binary', 'app', '--perfscript', 'text', '--text', '-o', 'text']],
    [
      'a reported shard',
      ['report', '--binary', 'app', '--traces', 'shard.parquet', '--text', '-o', 'shard.parquet'],
    ],
    [
      'a packed debug binary',
      ['report', ...GENERATE, '--debug-binary', 'packed.gz', '--text', '-o', 'packed.gz'],
    ],
    ['source', ['report', ...GENERATE, '--source-dir', 'source', '--text', '-o', 'source/calc.c']],
    [
      'source, by a link',
      ['report', 'b.afdo', '--binary', 'app', '--source-dir', 'source', '--text', '-o', 'link.c'],
    ],
  ])('%s', async (name, args) => {
    const folder = inputs(name.replaceAll(' ', '-'));
    copyFileSync(calc.perfData, join(folder, 'copy.data'));
    copyFileSync(calc.perfData, join(folder, 'r.parquet'));
    writeFileSync(join(folder, 'packed.gz'), gzipSync(readFileSync(calc.binary)));
    const before = contents(folder);
    const { status, stderr } = await runCli(args, { cwd: folder });
    expect(stderr).toMatch(/^error: .*(would overwrite it|does not replace it)\n {2}hint: Name another/);
    expect(status).toBe(args.includes('--compat=llvm-profgen') ? 1 : 2);
    expect(contents(folder)).toEqual(before);
  });

  it('in an output folder', async () => {
    const folder = inputs('folder');
    copyFileSync(fixture('calc-gcc').binary, join(folder, 'other'));
    copyFileSync(calc.perfData, join(folder, 'app.afdo'));
    const before = contents(folder);
    const args = ['--binary', 'app', '--binary', 'other', '--perfdata', 'app.afdo'];
    const { status, stderr } = await runCli(args, { cwd: folder });
    expect(stderr).toMatch(/error: \.\/app\.afdo is the same file as the input app\.afdo/);
    expect(status).toBe(2);
    expect(contents(folder)).toEqual(before);
  });

  it('under the default name of the result', async () => {
    const folder = inputs('default');
    copyFileSync(calc.perfData, join(folder, 'app.afdo'));
    const before = contents(folder);
    const { status, stderr } = await runCli(['--binary', 'app', '--perfdata', 'app.afdo'], { cwd: folder });
    expect(stderr).toMatch(/error: app\.afdo is an input; the result would overwrite it/);
    expect(status).toBe(2);
    expect(contents(folder)).toEqual(before);
  });

  it('that is part of a recording in a folder', async () => {
    const folder = inputs('parts');
    mkdirSync(join(folder, 'perf.dir'));
    copyFileSync(calc.perfData, join(folder, 'perf.dir', 'data'));
    temporary.write('parts/perf.dir/data.0', 'records');
    const before = contents(folder);
    const args = ['--binary', 'app', '--perfdata', 'perf.dir', '-o', 'perf.dir/data.0'];
    const { status, stderr } = await runCli(args, { cwd: folder });
    expect(stderr).toMatch(/data\.0 is an input/);
    expect(status).toBe(2);
    expect(contents(folder)).toEqual(before);
  });

  it('that comes from standard input', () => {
    const folder = inputs('stdin');
    const before = contents(folder);
    const stdin = openSync(join(folder, 'a.prof'), 'r');
    const args = [CLI, 'merge', '-', 'b.afdo', '-o', 'a.prof'];
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      stdio: [stdin, 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    closeSync(stdin);
    expect(stderr).toMatch(/^error: a\.prof is the file that standard input comes from/);
    expect(status).toBe(2);
    expect(contents(folder)).toEqual(before);
  });

  it.each<[string, string, string[]]>([
    ['merge', 'a.prof', ['merge', 'b.afdo', 'a.prof', '-o', '-']],
    ['convert', 'a.prof', ['convert', 'a.prof', '--text', '-o', '-']],
    ['generate', 'perf.data', [...GENERATE, '-o', '-']],
    ['listing', 'app', ['--binary', 'app', '--show-disassembly-only']],
  ])('to which standard output is appended: %s', (name, file, args) => {
    const folder = inputs(`stdout-${name}`);
    const before = contents(folder);
    const stdout = openSync(join(folder, file), 'a');
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], {
      cwd: folder,
      stdio: ['ignore', stdout, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(stdout);
    expect(stderr).toMatch(/^error: standard output is the same file as the input /);
    expect(status).toBe(2);
    expect(contents(folder)).toEqual(before);
  });

  it('through the library', async () => {
    const folder = inputs('node');
    const at = (name: string) => join(folder, name);
    const before = contents(folder);
    const refused = { code: 'INVALID_OPTIONS', message: expect.stringContaining('would overwrite it') };
    const generating = { binary: at('app'), perfData: at('perf.data') };
    await expect(generateProfile({ ...generating, output: at('perf.data') })).rejects.toMatchObject(refused);
    await expect(mergeProfiles({ inputs: [at('a.prof')], output: at('hard') })).rejects.toMatchObject(
      refused,
    );
    await expect(convertProfile({ input: at('a.prof'), output: at('soft') })).rejects.toMatchObject(refused);
    expect(contents(folder)).toEqual(before);
  });
});

describe('an output that is not an input can be written', () => {
  it.each(['/dev/null', '/dev/stdout'])('%s', (output) => {
    const folder = inputs(`device-${output.slice(5)}`);
    const script = `set -e; ${process.execPath} ${CLI} merge a.prof --text -q -o ${output} | cat`;
    const { status, stdout } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toBe(output === '/dev/null' ? '' : readFileSync(join(folder, 'a.prof'), 'utf8'));
  });

  it('a FIFO', async () => {
    const folder = inputs('fifo');
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    const script = `cat pipe > copied & ${process.execPath} ${CLI} merge a.prof --text -q -o pipe; wait`;
    expect(spawnSync('sh', ['-c', script], { cwd: folder }).status).toBe(0);
    expect(readFileSync(join(folder, 'copied'), 'utf8')).toBe(readFileSync(join(folder, 'a.prof'), 'utf8'));
  });

  it('an older result, also through a link, which stays a link', async () => {
    const folder = inputs('older');
    temporary.write('older/old.prof', 'old');
    symlinkSync('old.prof', join(folder, 'result'));
    const { status } = await runCli(['merge', 'b.afdo', '--text', '-o', 'result'], { cwd: folder });
    expect(status).toBe(0);
    expect(readFileSync(join(folder, 'old.prof'), 'utf8')).toBe(readFileSync(join(folder, 'a.prof'), 'utf8'));
  });
});
