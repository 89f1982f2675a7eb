import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/flags.js';
import { commandHelp } from '../../src/cli/help.js';
import { fixture } from '../support/fixtures.js';
import { BRANCH_EVENT, PerfDataBuilder, SAMPLE_TYPE } from '../support/perf-data-builder.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const rust = fixture('life-rust');
const run = (...args: string[]) => runCli(['doctor', ...args], { cwd: temporary.path });

describe('autofdo-gen doctor', () => {
  it('prints the worth of a binary, and the next commands', async () => {
    const { status, stdout, stderr } = await run('--binary', calc.binary);
    const lines = stdout.toString().split('\n');
    expect(stderr).toBe('');
    expect(lines).toContain('build id        0645410aaf57b3646abef104f5623a0eff19246f');
    expect(lines).toContain('discriminators  in 1 of 1 unit with lines, flow-sensitive');
    expect(lines).toContain('profiling flag  -fdebug-info-for-profiling: yes');
    expect(lines).toContain('verdict         good');
    const commands = lines.filter((line) => /^(next|then) /.test(line)).map((line) => line.slice(16));
    expect(commands).toEqual([
      expect.stringMatching(/^perf record -e \S+u -N -b -c 500009 -- \S+calc$/),
      `autofdo-gen --binary ${calc.binary} --perfdata perf.data`,
      expect.stringMatching(
        /^clang -O2 -gmlt .*-enable-fs-discriminator=true .*-fprofile-sample-use=calc\.afdo \.\.\.$/,
      ),
    ]);
    expect(status).toBe(0);
  });

  it('prints the worth of a recording', async () => {
    const { status, stdout } = await run('--binary', calc.binary, '--perfdata', calc.perfData);
    const text = stdout.toString();
    expect(text).toMatch(/^recording {7}\S+: 464 samples, 464 with branch stacks, usable$/m);
    expect(text).toMatch(/^branch entries {2}14,848\n {17}74\.7 % {2}used \(11,087\)$/m);
    expect(text).toMatch(/^density {9}74\.1 samples .*: enough; \S+ m?s reach 50$/m);
    expect(text).toMatch(
      /^verdict {9}good\nnext {12}autofdo-gen --binary \S+ --perfdata \S+\nthen {12}clang /m,
    );
    expect(status).toBe(0);
  });

  it('prints the length of a sufficient recording', async () => {
    const threshold = ['--profile-density-threshold', '741'];
    const { status, stdout } = await run('--binary', calc.binary, '--perfdata', calc.perfData, ...threshold);
    expect(stdout.toString()).toMatch(
      /^limit .* 74\.1 samples .* 741 are recommended\n +-> Record 10\.0 times as long: /m,
    );
    expect(stdout.toString()).toMatch(/^verdict {9}usable, with the limit above$/m);
    expect(status).toBe(0);
  });

  it('exits with 1 if no profile can be made, and prints the reason', async () => {
    const { status, stdout } = await run('--binary', rust.binary, '--perfdata', calc.perfData);
    expect(stdout.toString()).toMatch(
      /^blocker {9}the recording has no mapping of life; it has mappings of /m,
    );
    expect(stdout.toString()).toMatch(/^verdict {9}not usable, for the blocker above$/m);
    expect(status).toBe(1);
  });

  describe('names the next step by the cause, if no profile can be made of a recording:', () => {
    const { ip, tid, time } = SAMPLE_TYPE;
    const PAGE_FAULTS = { type: 1, config: 2n };
    const withoutBranches = new PerfDataBuilder().event({ ...PAGE_FAULTS, sampleType: ip | tid | time });
    withoutBranches.record(9, 2, withoutBranches.bytes().u64(0).u32(1).u32(1).u64(1).toBytes());
    const eventDescription = (name: string) => {
      const builder = new PerfDataBuilder().event({ sampleType: ip, type: 8 });
      const words = builder
        .bytes()
        .u32(1)
        .u32(136)
        .raw(builder.attrBytes({ sampleType: ip, type: 8 }));
      builder.mmap(1, 0x10_0000n, 0x8000n, calc.binary);
      return builder.feature(12, words.u32(0).raw(builder.featureString(name)).toBytes());
    };
    const path = (name: string, builder: PerfDataBuilder) => temporary.write(name, builder.file());
    it.each<[string, string, string, RegExp]>([
      [
        'another program was recorded',
        rust.binary,
        calc.perfData,
        /^autofdo-gen doctor --binary THE_BINARY_THAT_RAN --perfdata \S+\n +\(find: or record this one: perf record .*life\)$/m,
      ],
      [
        'another build was recorded',
        fixture('calc-dwarf4').binary,
        calc.perfData,
        /^autofdo-gen doctor --binary THE_BINARY_THAT_RAN --perfdata /m,
      ],
      [
        'there is no such file',
        calc.binary,
        'missing.data',
        /^autofdo-gen doctor --binary \S+ --perfdata RECORDING$/m,
      ],
      [
        'it has no branches',
        calc.binary,
        path('none.data', withoutBranches),
        /^perf record .*\n +\(record: \S+none\.data: it was recorded without branch stacks; /m,
      ],
      [
        'it is a raw trace of Intel PT',
        calc.binary,
        path('pt.data', eventDescription('intel_pt//u')),
        /^perf inject -i \S+pt\.data -o stacks\.data --itrace=i100usle --strip\n.*\nthen +autofdo-gen --binary \S+ --perfdata stacks\.data$/m,
      ],
    ])('%s', async (_, binary, recording, step) => {
      const { status, stdout } = await run('--binary', binary, '--perfdata', recording);
      expect(/^next +([\s\S]*)/m.exec(stdout.toString())?.[1]).toMatch(step);
      expect(status).toBe(1);
    });
  });

  it('exits with 1 for a recording without branch stacks, and prints one reason', async () => {
    const builder = new PerfDataBuilder().event({ ...BRANCH_EVENT, branchSampleType: 0n });
    const path = temporary.write('plain.data', builder.file());
    const { status, stdout } = await run('--binary', calc.binary, '--perfdata', path, '--json');
    const [{ findings, recording }] = JSON.parse(stdout.toString()).binaries;
    expect(findings).toMatchObject([{ severity: 'blocker', code: 'recording-unusable' }]);
    expect(recording).toMatchObject({ files: [{ samples: 0, autofdo: { usable: false } }] });
    expect(status).toBe(1);
  });

  it('prints no density for counts that are inferred from addresses', async () => {
    const { ip, tid, time } = SAMPLE_TYPE;
    const base = 0x10_0000n;
    const builder = new PerfDataBuilder()
      .event({ sampleType: ip | tid | time })
      .mmap(1, base, 0x8000n, calc.binary);
    // The addresses lie in the loop of `expression`.
    for (let index = 0n; index < 300n; index++) {
      const address = base + 0x18e0n + (index % 9n) * 4n;
      const sample = builder
        .bytes()
        .u64(address)
        .u32(1)
        .u32(1)
        .u64(1000n * (index + 1n));
      builder.record(9, 2, sample.toBytes());
    }
    const path = temporary.write('addresses.data', builder.file());
    const args = ['--binary', calc.binary, '--perfdata', path];
    const text = (await run(...args)).stdout.toString();
    expect(text).toMatch(/^addresses {7}300$/m);
    expect(text).not.toMatch(/density/);
    const [{ recording }] = JSON.parse((await run(...args, '--json')).stdout.toString()).binaries;
    expect(recording).toMatchObject({ statistics: { byAddresses: true } });
    expect(recording).not.toHaveProperty('secondsNeeded');
  });

  it('still describes the binary if the recording cannot be read', async () => {
    const { status, stdout } = await run('--binary', calc.binary, '--perfdata', calc.binary);
    expect(stdout.toString()).toMatch(
      /^discriminators {2}in 1 of 1 unit[\s\S]*^blocker {9}.*(ELF|not a perf\.data)/m,
    );
    expect(status).toBe(1);
  });

  it('takes several binaries, and examines the others if one cannot be examined', async () => {
    const text = temporary.write('text', 'not a program\n');
    const binaries = [calc.binary, text, rust.binary].flatMap((path) => ['--binary', path]);
    const [people, machine] = [await run(...binaries), await run(...binaries, '--json')];
    expect(people.stdout.toString().match(/^verdict .*$/gm)).toEqual([
      'verdict         good',
      'verdict         usable, with the limit above',
    ]);
    expect(people.stderr).toMatch(/^error: \S+text: is text, expected an ELF file\n {2}hint: /);
    expect(people.status).toBe(1);
    expect(JSON.parse(machine.stdout.toString())).toMatchObject({
      ok: false,
      binaries: [
        { binary: calc.binary, verdict: 'good' },
        { binary: text, verdict: 'unusable', error: { code: 'BINARY_INVALID' } },
        { binary: rust.binary, verdict: 'limited', findings: [{ code: 'no-discriminators' }] },
      ],
    });
    expect(machine.status).toBe(1);
  });

  it.each<[string, string[], RegExp]>([
    ['no binary', [], /^error: no binary was given\n/],
    ['a stray argument', ['--binary', 'a', 'b'], /^error: unexpected argument 'b'\n/],
    ['an unknown flag', ['--binry', 'a'], /^error: unknown flag --binry\n.*did you mean --binary\?/],
    ['standard input', ['--binary', 'a', '--perfdata', '-'], /^error: standard input cannot be read twice\n/],
  ])('exits with 2 for %s', async (_, args, message) => {
    const { status, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stdout.toString()).toBe('');
    expect(status).toBe(2);
  });

  it('has help that names every flag and fits a terminal', async () => {
    const { status, stdout } = await run('--help');
    const help = stdout.toString();
    expect(help).toBe(commandHelp('doctor'));
    for (const { name } of COMMANDS.doctor.flags) expect(help).toMatch(new RegExp(`--${name}\\b`));
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(status).toBe(0);
  });

  it('survives a damaged program', async () => {
    const bytes = readFileSync(calc.binary);
    const path = temporary.write('damaged', bytes.subarray(0, bytes.length / 2));
    const { status, stderr } = await run('--binary', path);
    expect(stderr).toMatch(/^error: .*truncated/);
    expect(status).toBe(1);
  });
});
