import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandHelp } from '../../src/cli/help.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixturePath(fixture('calc-x86_64'), 'expected.afdo');
const rust = fixturePath(fixture('life-rust'), 'expected.afdo');
const run = (args: string[], input?: string | Uint8Array) =>
  runCli(args, { cwd: temporary.path, ...(input !== undefined && { input }) });

for (const [name, count] of [
  ['a.prof', 1],
  ['b.prof', 10],
  ['c.prof', 100],
] as const) {
  temporary.write(name, `f:${count}:${count}\n 1: ${count}\n`);
}
const sum = (total: number) => `f:${total}:${total}\n 1: ${total}\n`;

describe('autofdo-gen merge', () => {
  temporary.write('list', '# comment\n\n2,b.prof\na.prof\n');

  it.each<[string, string[], number]>([
    ['files', ['a.prof', 'b.prof'], 11],
    ['a glob', ['*.prof'], 111],
    ['llvm-profdata spelling', ['-sample', '-text', '--weighted-input=3,a.prof', 'b.prof'], 13],
    ['a glob with a weight', ['-weighted-input', '2,?.prof'], 222],
    ['a list', ['--input-files=list', 'c.prof', '--num-threads=1'], 121],
  ])('takes %s', async (_, args, total) => {
    const { status, stdout } = await run(['merge', ...args, '--format=text', '-o', '-']);
    expect(stdout.toString()).toBe(sum(total));
    expect(status).toBe(0);
  });

  it('takes standard input', async () => {
    const { stdout } = await run(['merge', '-', 'a.prof', '--text', '-o', '-'], sum(5));
    expect(stdout.toString()).toBe(sum(6));
  });

  it('leaves out a damaged input only if it is allowed to', async () => {
    temporary.write('bad.data', 'f:1:1\n 1: x\n');
    const args = ['merge', 'a.prof', 'bad.data', '--text', '-o', 'merged'];
    const [strict, lenient] = [await run(args), await run([...args, '--failure-mode=warn', '--json'])];
    expect(strict.status).toBe(1);
    expect(strict.stderr).toMatch(/^error: bad\.data: line 2: /);
    expect(lenient.status).toBe(0);
    expect(lenient.stderr).toContain('warning: left out: bad.data: line 2: ');
    expect(JSON.parse(lenient.stdout.toString())).toMatchObject({
      ok: true,
      output: 'merged',
      inputs: 1,
      skipped: [{ path: 'bad.data' }],
    });
  });

  it('prints a summary', async () => {
    const { stderr } = await run(['merge', calc, rust, '-o', 'both.afdo']);
    expect(stderr).toMatch(
      /^profiles +2 merged\nfunctions +\d+\ntotal count +[\d,]+\noutput +both\.afdo \(.* kB\)\n$/,
    );
  });
});

describe('autofdo-gen convert', () => {
  it('writes another encoding', async () => {
    const { status, stdout } = await run(['convert', calc, '--text', '-o', '-', '-q']);
    expect(stdout.toString()).toBe(
      readFileSync(fixturePath(fixture('calc-x86_64'), 'expected.prof'), 'utf8'),
    );
    expect(status).toBe(0);
  });
});

describe('autofdo-gen show', () => {
  it('prints a description for people', async () => {
    const { status, stdout } = await run(['show', calc, '--top=2']);
    const text = stdout.toString();
    expect(status).toBe(0);
    for (const part of ['extbinary', 'functions', 'density', '% ', '--topn']) expect(text).toContain(part);
  });

  it('shows one function, by its name or by the hash of its name', async () => {
    await run(['convert', calc, '--use-md5', '-o', 'md5.afdo']);
    const [named, hashed] = await Promise.all([
      run(['show', calc, '--function', 'main']),
      run(['show', 'md5.afdo', '--function=main']),
    ]);
    expect(named.stdout.toString()).toMatch(/^Function: main: \d+, \d+, \d+ sampled lines\n/);
    expect(hashed.stdout.toString()).toMatch(/^Function: \d{10,}: /);
  });

  it('suggests a similar name for an unknown function', async () => {
    const { status, stderr } = await run(['show', calc, '--function', 'expresion']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/no function 'expresion'\n {2}hint: Did you mean expression\?/);
  });

  it('demangles names if asked', async () => {
    const [mangled, demangled] = await Promise.all([run(['show', rust]), run(['show', rust, '-C'])]);
    expect(mangled.stdout.toString()).toContain('_ZN');
    expect(demangled.stdout.toString()).toContain('life::Grid');
    expect(demangled.stdout.toString()).not.toContain('_ZN');
  });

  it('prints JSON', async () => {
    const [all, one] = await Promise.all([
      run(['show', calc, '--json']),
      run(['show', calc, '--json', '--function=main']),
    ]);
    expect(JSON.parse(all.stdout.toString())).toMatchObject({
      ok: true,
      format: 'extbinary',
      partial: false,
    });
    expect(JSON.parse(one.stdout.toString()).functions).toMatchObject([
      { name: 'main', body: expect.any(Array) },
    ]);
  });
});

describe('autofdo-gen overlap', () => {
  it('fails below the threshold', async () => {
    const other = fixturePath(fixture('calc-dwarf4'), 'expected.afdo');
    const args = ['overlap', calc, other];
    const [low, high] = await Promise.all([
      run([...args, '--threshold=90']),
      run([...args, '--threshold=99']),
    ]);
    expect([low.status, high.status]).toEqual([0, 1]);
    expect(low.stdout.toString()).toBe(high.stdout.toString());
    expect(low.stdout.toString()).toMatch(/Whole program profile similarity: 9\d\.\d{3}%/);
    expect(high.stderr).toMatch(/% similar, less than the threshold of 99%/);
  });
});

it.each<[string[], RegExp]>([
  [['merge', '-o', 'x'], /no input was given/],
  [['merge', 'a.prof'], /no output was given/],
  [['merge', 'a.prof', '--text', '--binary', '-o', 'x'], /cannot both be written/],
  [['merge', '--weighted-input=0,a.prof', '-o', 'x'], /has the weight 0/],
  [['merge', '--weighted-input=a.prof', '-o', 'x'], /Expected WEIGHT,FILE/],
  [['merge', '--instr', 'a.prof', '-o', 'x'], /--instr is not supported/],
  [['merge', '--function=(', 'a.prof', '-o', 'x'], /not a regular expression/],
  [['merge', 'a.prof', '--json', '-o', '-'], /both write to stdout/],
  [['convert', 'a.prof', 'b.prof', '-o', 'x'], /expected one profile, found 2/],
  [['show'], /expected one profile, found 0/],
  [['overlap', 'a.prof'], /expected two profiles, found 1/],
  [['overlap', 'a.prof', 'b.prof', '--threshold=101'], /0 to 100/],
])('%j is wrong usage', async (args, message) => {
  const { status, stderr } = await run(args);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});

it('has help for each command that fits on a screen', async () => {
  for (const name of ['merge', 'convert', 'show', 'overlap'] as const) {
    for (const line of commandHelp(name).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  }
  const { status, stdout } = await run(['merge', '--help']);
  expect(stdout.toString()).toBe(commandHelp('merge'));
  expect(status).toBe(0);
});
