import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readProfile } from 'autofdo-gen';
import { Profile } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import { fixture, fixturePath } from '../support/fixtures.js';
import { MAIN, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const calc = fixture('calc-x86_64');
const PROFILE = fixturePath(calc, 'expected.afdo');
const run = (...args: string[]) => runCli(['report', ...args], { cwd: folder.path });

describe('report', () => {
  it.each([
    ['a recording', ['--binary', calc.binary, '--perfdata', calc.perfData]],
    ['a profile', [PROFILE]],
    ['a profile, with a base', [PROFILE, '--base', fixturePath(fixture('calc-gcc'), 'expected.afdo')]],
    ['names of C++', [fixturePath(fixture('shapes-cpp'), 'expected.afdo')]],
  ])('prints text of 80 columns: %s', async (_, args) => {
    const { status, stdout, stderr } = await run(...args);
    expect(status, stderr).toBe(0);
    const text = stdout.toString();
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^ *share +total.* function$/m);
    expect(text).toMatch(/^ *share +count +line$/m);
  });

  it('lists the functions and lines with most samples first', async () => {
    const { stdout } = await run('--binary', calc.binary, '--perfdata', calc.perfData, '--top', '3');
    const rows = [...stdout.toString().matchAll(/^ *([\d.]+) % {2}(#+) +([\d,]+) {2}(\S+)/gm)];
    const { functions } = await readProfile(PROFILE);
    const heaviest = functions.toSorted((a, b) => Number(b.total - a.total)).slice(0, 3);
    expect(rows.slice(0, 3).map(([, , , total, name]) => [name, total])).toEqual(
      heaviest.map(({ name, total }) => [name, total.toLocaleString('en')]),
    );
    expect(rows).toHaveLength(6);
    expect(rows[0]?.[2]).toBe('#'.repeat(12));
    expect(rows[3]?.[4]).toMatch(/^calc\.c:\d+/);
  });

  it('has the numbers of pseudo probes instead of lines', async () => {
    const probe = fixture('calc-probe');
    const { stdout } = await run('--binary', probe.binary, '--perfdata', probe.perfData, '--top', '5');
    const rows = stdout.toString().split(/^.* count {2}pseudo probe\n/m)[1] ?? '';
    expect(rows.trimEnd().split('\n')).toHaveLength(5);
    for (const row of rows.trimEnd().split('\n')) expect(row).toMatch(/#+ +[\d,]+ {2}\d+ {2}\w+\(/);
    expect(rows).not.toContain('__uniq');
  });

  it('takes trace shards, and prints the same for them as for the recording', async () => {
    const shard = join(folder.path, 'calc.parquet');
    expect(await runCli(['collect', '--perfdata', calc.perfData, '-o', shard])).toMatchObject({ status: 0 });
    const [ofShard, ofRecording] = await Promise.all([
      run('--binary', calc.binary, '--traces', shard),
      run('--binary', calc.binary, '--perfdata', calc.perfData),
    ]);
    expect(ofShard.status, ofShard.stderr).toBe(0);
    const profile = (text: Buffer) => text.toString().split(/^profile /m)[1];
    expect(profile(ofShard.stdout)).toBe(profile(ofRecording.stdout));
  });

  it('prints no character that controls a terminal or changes the direction of writing', async () => {
    const name = 'a\x1b[31mb\u202ec\u2028d\x07';
    const { status, stdout } = await run(folder.write('steering.prof', `${name}:9:1\n 1: 9\n`));
    expect(status).toBe(0);
    expect(stdout.toString()).toContain('a\ufffd[31mb\ufffdc\ufffdd\ufffd');
    for (const character of '\x1b\x07\u202e\u2028') expect(stdout.toString()).not.toContain(character);
  });

  it('distinguishes lines before the declaration of a function from lines far after it', async () => {
    const profile = folder.write('before.prof', 'f:30:1\n 3: 10\n 32767: 11\n 65400: 9\n');
    const { stdout } = await run(profile);
    expect(stdout.toString().match(/[+−]\d+ {2}f$/gm)).toEqual(['+32767  f', '+3  f', '−136  f']);
  });

  it('colours bars only if colours are wanted', async () => {
    const colours = (env: Record<string, string>, ...flags: string[]) => {
      const { PATH = '' } = process.env;
      const args = [MAIN, 'report', PROFILE, ...flags];
      const { stdout } = spawnSync(process.execPath, args, {
        cwd: folder.path,
        env: { PATH, ...env },
        encoding: 'utf8',
      });
      return ['31', '33', '36'].filter((colour) => stdout.includes(`\x1b[${colour}m`));
    };
    expect(colours({})).toEqual([]);
    expect(colours({ FORCE_COLOR: '1' })).toEqual(['31']);
    expect(colours({ FORCE_COLOR: '1' }, '--top=500')).toEqual(['31', '33', '36']);
    expect(colours({ FORCE_COLOR: '1', NO_COLOR: '1' })).toEqual([]);
    expect(colours({ FORCE_COLOR: '1' }, '--color=false')).toEqual([]);
    colours({ FORCE_COLOR: '1' }, '-o', 'plain.txt');
    expect(readFileSync(join(folder.path, 'plain.txt'), 'utf8')).not.toContain('\x1b');
  });

  it('reports once that a binary has no profile', async () => {
    const life = fixture('life-rust');
    const binaries = ['--binary', calc.binary, '--binary', life.binary];
    const { status, stderr } = await run(...binaries, '--perfdata', calc.perfData, '-o', 'one.html');
    expect(status).toBe(0);
    expect(stderr.match(/the recording has no mapping of life/g)).toHaveLength(1);
  });

  it('reports the fault of each of several binaries once', async () => {
    const shapes = fixture('shapes-cpp');
    const binaries = ['--binary', calc.binary, '--binary', shapes.binary];
    const recordings = ['--perfdata', calc.perfData, '--perfdata', shapes.perfData];
    const { status, stdout, stderr } = await run(...binaries, ...recordings, '--json');
    expect(status).toBe(0);
    const warnings = stderr.trimEnd().split('\n');
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toMatch(/^warning: .*shapes: /);
    expect(new Set(warnings).size).toBe(warnings.length);
    const report = JSON.parse(stdout.toString());
    expect(report.diagnostics).toEqual([]);
    expect(report.profiles.map(({ name }: { name: string }) => name)).toEqual(['calc', 'shapes']);
  });

  it("writes the form that the end of the output's name or the format selects", async () => {
    const forms: [string[], RegExp][] = [
      [['-o', 'a.html'], /^<!doctype html>/],
      [['-o', 'a.txt'], /^profile +expected\.afdo/],
      [['-o', 'a.json'], /^\{\n {2}"ok": true/],
      [['-o', 'a.speedscope.json'], /^\{"\$schema":"https:\/\/www\.speedscope\.app/],
      [['-o', 'a.out', '--format', 'html'], /^<!doctype html>/],
    ];
    for (const [args, shape] of forms) {
      const { status, stdout, stderr } = await run(PROFILE, ...args);
      expect(status, stderr).toBe(0);
      expect(stdout.toString()).toBe('');
      expect(readFileSync(join(folder.path, args[1] ?? ''), 'utf8')).toMatch(shape);
    }
    const json = await run(PROFILE, '--json');
    const { profiles } = JSON.parse(json.stdout.toString());
    expect(profiles[0].functions[0]).toMatchObject({
      name: 'expression',
      total: 154_804,
      samples: { head: 418 },
    });
  });

  it('writes profile.proto with all counts', async () => {
    const { status } = await run(PROFILE, '-o', 'calc.pb.gz');
    expect(status).toBe(0);
    const { sample, sampleType } = Profile.decode(gunzipSync(readFileSync(join(folder.path, 'calc.pb.gz'))));
    expect(sampleType).toHaveLength(1);
    const sum = sample.reduce((total, { value }) => total + BigInt(value[0] ?? 0), 0n);
    const { summary } = await readProfile(PROFILE);
    expect(sum).toBe(summary?.totalCount);
  });

  it.each<[string, string[], RegExp]>([
    ['nothing to report', [], /no profile and no recording was given/],
    [
      'an output of an unknown kind',
      [PROFILE, '-o', 'report.pdf'],
      /report\.pdf does not tell what to write\n.*--format/,
    ],
    ['two forms', [PROFILE, '--text', '--json'], /text and json cannot both be written/],
    [
      'a profile and a recording',
      [PROFILE, '--binary', calc.binary, '--perfdata', calc.perfData],
      /unexpected argument .*\n.*Name recordings or finished profiles, not both/,
    ],
    ['a recording without a binary', ['--perfdata', calc.perfData], /no binary was given/],
  ])('exits with 2 for %s', async (_, args, message) => {
    const { status, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stdout.toString()).toBe('');
    expect(status).toBe(2);
  });

  it('replaces no file that it reads', async () => {
    const copy = folder.write('copy.html', readFileSync(PROFILE));
    const { status, stderr } = await run(copy, '-o', copy);
    expect(stderr).toMatch(/^error: /);
    expect(status).toBe(2);
    expect(readFileSync(copy)).toEqual(readFileSync(PROFILE));
  });

  it('reports that the source folder does not exist', async () => {
    const args = ['--binary', calc.binary, '--perfdata', calc.perfData, '--source-dir', 'nowhere'];
    const { status, stderr } = await run(...args, '-o', 'none.html');
    expect(stderr).toMatch(/^error: nowhere cannot be read/);
    expect(status).toBe(1);
  });
});
