import { choice, flag, ignored, refused } from '../options/flag.js';
import { type ParsedArgs, UsageError } from './parse-args.js';

// Flags of create_llvm_prof (https://github.com/google/autofdo, create_llvm_prof.cc and the flags of the files
// that it links). The flags --profile, --out, --gcov and --prof_sym_list are other spellings of flags of
// `generate`. The flags --binary and --format are the same in both programs.

/** Flags that steer the command line and set no option of the library. */
export const CREATE_LLVM_PROF_OWN = {
  profiler: choice(
    'Samples',
    ['perf'],
    'profiler',
    'Flag of create_llvm_prof: the tool that recorded the samples.',
    {
      default: 'perf',
    },
  ),
  useLbr: flag(
    'Samples',
    'boolean',
    'use-lbr',
    'Flag of create_llvm_prof: --use_lbr=false is the same as --samples=addresses.',
    { default: 'on' },
  ),
};

const PROPELLER = 'Propeller profiles are not written; use create_llvm_prof for them';

/** Flags that are refused, because they would change the profile. */
export const CREATE_LLVM_PROF_REFUSED = [
  refused('string', 'prefetch-hints', 'profiles of prefetch hints are not written'),
  refused('boolean', 'llc-misses', 'profiles of cache misses are not written'),
  refused('string', 'propeller-symorder', PROPELLER),
  refused('string', 'sample-threshold-frac', '--trim-cold-profile drops cold functions'),
  refused('string', 'suffix-elision-policy', 'names lose the suffixes that llvm-profgen removes'),
  refused(
    'string',
    'symbol-list-size-coverage-ratio',
    'the symbol list has all functions, which is the default of create_llvm_prof',
  ),
  refused(
    'string',
    'focus-binary-re',
    'mappings are matched by build id, or by the name of --binary where none was recorded',
  ),
];

/** Flags that are accepted and have no effect, because they do not change a profile from a recording. */
export const CREATE_LLVM_PROF_IGNORED = [
  ...ignored(
    'boolean',
    'compress-symbol-list',
    'demangle-symbol-names',
    'disassemble-arm-branches',
    'http',
    'propeller-chain-split',
    'propeller-call-chain-clustering',
    'propeller-inter-function-ordering',
    'propeller-layout-only',
    'propeller-output-module-name',
    'propeller-split-only',
    'propeller-verbose-cluster-output',
    'use-discriminator-encoding',
    'use-discriminator-multiply-factor',
    'use-fs-discriminator',
    'use-base-only-in-fs-discriminator',
    'debug-dump',
    'logtostderr',
    'alsologtostderr',
  ),
  ...ignored(
    'string',
    'dump-cutoff-percent',
    'gcov-version',
    'minloglevel',
    'profiled-binary-name',
    'propeller-backward-jump-distance',
    'propeller-cfg-dump-dir',
    'propeller-chain-split-threshold',
    'propeller-cluster-encoding-version',
    'propeller-forward-jump-distance',
    'stderrthreshold',
    'strip-dup-backedge-stride-limit',
  ),
];

/**
 * Returns the options that create_llvm_prof has by default, if the command line is one of create_llvm_prof. Such a
 * command line has --out or --gcov, because create_llvm_prof does nothing without one of them.
 */
export function createLlvmProfDefaults({ values, spellings }: ParsedArgs) {
  const outputs = ['out', 'gcov', 'output', 'o'].filter((name) => spellings.has(name));
  if (new Set(outputs.map((name) => spellings.get(name))).size > 1) {
    throw new UsageError(
      `${outputs.map((name) => `--${name}`).join(' and ')} name different files`,
      'give one of them',
    );
  }
  if (!spellings.has('out') && !spellings.has('gcov')) return {};
  const format = values.has('format') ? undefined : ('text' as const);
  if (spellings.get('prof-sym-list') === true && values.get('format') !== 'extbinary') {
    throw new UsageError(
      '--prof_sym_list needs --format=extbinary',
      'no other encoding has a list of symbols',
    );
  }
  return {
    ...(format && { format }),
    ...(values.has('binary') ? {} : { binary: ['a.out'] }),
    ...(values.has('perfdata') ? {} : { perfData: ['perf.data'] }),
  };
}

/**
 * Returns the flags of create_llvm_prof on a command line that have no effect here, in the order of their
 * definition.
 */
export function withoutEffect({ values }: ParsedArgs): string[] {
  return CREATE_LLVM_PROF_IGNORED.filter(({ name }) => values.has(name)).map(
    ({ name }) => `--${name.replaceAll('-', '_')}`,
  );
}
