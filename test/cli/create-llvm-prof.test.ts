import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const calc = fixture('calc-x86_64');
const temporary = temporaryFolder();
const run = (args: string[]) => runCli(args, { cwd: temporary.path });
const written = (name: string) => readFileSync(join(temporary.path, name));

/** Writes a profile under `name` with flags of llvm-profgen, and returns its bytes. */
async function profile(name: string, ...flags: string[]): Promise<Buffer> {
  const inputs = [`--binary=${calc.binary}`, `--perfdata=${calc.perfData}`];
  const { status, stderr } = await run([...inputs, ...flags, '-o', name]);
  expect(status, stderr).toBe(0);
  return written(name);
}

/** Flags that the sources of create_llvm_prof define and that have no effect here. */
const WITH_VALUE: [string, string][] = [
  ['dump_cutoff_percent', '2'],
  ['gcov_version', '3875766316'],
  ['profiled_binary_name', 'app'],
  ['propeller_backward_jump_distance', '640'],
  ['propeller_cfg_dump_dir', 'cfg'],
  ['propeller_chain_split_threshold', '128'],
  ['propeller_cluster_encoding_version', 'VERSION_1'],
  ['propeller_forward_jump_distance', '1024'],
  ['strip_dup_backedge_stride_limit', '4096'],
];
const SWITCHES = [
  'debug_dump',
  'demangle_symbol_names',
  'disassemble_arm_branches',
  'http',
  'propeller_call_chain_clustering',
  'propeller_chain_split',
  'propeller_inter_function_ordering',
  'propeller_layout_only',
  'propeller_output_module_name',
  'propeller_split_only',
  'propeller_verbose_cluster_output',
  'use_base_only_in_fs_discriminator',
  'use_discriminator_encoding',
  'use_discriminator_multiply_factor',
  'use_fs_discriminator',
];

describe('command lines of create_llvm_prof', () => {
  it("run unchanged if they are from the kernel's document", async () => {
    const expected = await profile('expected.afdo', '--format=extbinary');
    const args = [
      `--binary=${calc.binary}`,
      `--profile=${calc.perfData}`,
      '--format=extbinary',
      '--out=kernel.afdo',
    ];
    expect(await run(args)).toMatchObject({ status: 0, stderr: '' });
    expect(written('kernel.afdo')).toEqual(expected);
  });

  it('have the defaults text, a.out and perf.data', async () => {
    const expected = await profile('expected.prof', '--format=text');
    copyFileSync(calc.binary, join(temporary.path, 'a.out'));
    copyFileSync(calc.perfData, join(temporary.path, 'perf.data'));
    for (const flags of [['--out=a.prof'], ['--gcov', 'a.prof'], ['-gcov=a.prof', '--out', 'a.prof']]) {
      expect((await run(flags)).status, flags.join(' ')).toBe(0);
      expect(written('a.prof')).toEqual(expected);
    }
  });

  it('list symbols, with underscores or dashes in the flag', async () => {
    const expected = await profile('symbols.afdo', '--populate-profile-symbol-list');
    const inputs = [`--binary=${calc.binary}`, `--profile=${calc.perfData}`, '--out=list.afdo'];
    for (const flag of ['--prof_sym_list', '--prof-sym-list=true', '--prof_sym_list=yes']) {
      expect(await run([...inputs, '--format=extbinary', '--profiler=perf', flag])).toMatchObject({
        status: 0,
      });
      expect(written('list.afdo'), flag).toEqual(expected);
    }
    for (const flag of ['--noprof_sym_list', '--prof_sym_list=f']) {
      expect(await run([...inputs, '--format=extbinary', flag])).toMatchObject({ status: 0 });
      expect(written('list.afdo'), flag).not.toEqual(expected);
    }
    expect(await run([...inputs, '--prof_sym_list'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--prof_sym_list needs --format=extbinary'),
    });
  });

  it('use sampled addresses with --use_lbr=false', async () => {
    const expected = await profile('addresses.prof', '--format=text', '--samples=addresses');
    expect(expected).not.toEqual(await profile('branches.prof', '--format=text'));
    const inputs = [`--binary=${calc.binary}`, `--profile=${calc.perfData}`, '--out=a.prof'];
    for (const flag of ['--use_lbr=false', '--use-lbr=0', '--nouse_lbr', '-use_lbr=no']) {
      expect((await run([...inputs, flag])).status, flag).toBe(0);
      expect(written('a.prof'), flag).toEqual(expected);
    }
  });

  it('may have every flag of create_llvm_prof in every spelling', async () => {
    const inputs = [`--binary=${calc.binary}`, `--profile=${calc.perfData}`, '--out=a.prof'];
    const spellings = [
      ([name, value]: [string, string]) => [`--${name}=${value}`],
      ([name, value]: [string, string]) => [`-${name}=${value}`],
      ([name, value]: [string, string]) => [`--${name.replaceAll('_', '-')}=${value}`],
      ([name, value]: [string, string]) => [`--${name}`, value],
      ([name, value]: [string, string]) => [`--${name.replaceAll('_', '-')}`, value],
    ];
    for (const spelling of spellings) {
      const { status, stderr } = await run([...inputs, ...WITH_VALUE.flatMap(spelling)]);
      expect(status, stderr).toBe(0);
      for (const [name] of WITH_VALUE) {
        expect(stderr).toContain(`warning: --${name} of create_llvm_prof has no effect here`);
      }
    }
    for (const spelling of [
      (name: string) => `--${name}`,
      (name: string) => `--no${name}`,
      (name: string) => `--${name.replaceAll('_', '-')}=true`,
    ]) {
      const { status, stderr } = await run([...inputs, ...SWITCHES.map(spelling)]);
      expect(status, stderr).toBe(0);
      for (const name of SWITCHES) {
        expect(stderr).toContain(`warning: --${name} of create_llvm_prof has no effect here`);
      }
    }
  });

  it('get a warning for flags without effect, and an error for flags that are not supported', async () => {
    const inputs = [`--binary=${calc.binary}`, `--profile=${calc.perfData}`, '--out=a.prof'];
    const { status, stderr } = await run([...inputs, '--http', '--minloglevel', '2']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^warning: --http of create_llvm_prof has no effect here\nwarning: --minloglevel of create_llvm_prof has no effect here\n/,
    );
    for (const flag of [
      '--format=propeller',
      '--profiler=prefetch',
      '--llc_misses',
      '--focus_binary_re=.*',
    ]) {
      expect((await run([...inputs, flag])).status, flag).toBe(2);
    }
    expect((await run([...inputs, '--gcov=b.prof'])).stderr).toContain(
      '--out and --gcov name different files',
    );
  });
});
