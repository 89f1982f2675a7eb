import { type Flag, HELP, ignored, JOBS, refused, row } from './flags.js';

/** Flags of the commands that work on profiles. Where llvm-profdata has the same, the spelling is its own. */

const OUTPUT = row('Output', 'string', 'output', 'Where the profile goes; - is stdout.', {
  aliases: ['o'],
  value: 'FILE',
});
const JSON_RESULT = row('Output', 'boolean', 'json', 'Print the result, or the error, as JSON on stdout.');
const DEMANGLE = row('Output', 'boolean', 'demangle', 'Print names of C++ and Rust as the source has them.', {
  aliases: ['C'],
});
const TOP = row('Output', 'integer', 'topn', 'How many functions to list.', {
  aliases: ['top'],
  value: 'N',
  default: '10',
});
const QUIET = row('Run', 'boolean', 'quiet', 'No summary, notes or progress; warnings and errors only.', {
  aliases: ['q'],
});

/** How a profile is written: of `merge` and `convert`. */
const ENCODING: readonly Flag[] = [
  OUTPUT,
  row('Output', 'string', 'format', 'Encoding: extbinary, binary or text.', {
    value: 'NAME',
    choices: ['extbinary', 'binary', 'text'],
    default: 'extbinary',
  }),
  row('Output', 'boolean', 'extbinary', 'The same as --format=extbinary.'),
  row('Output', 'boolean', 'binary', 'The same as --format=binary.'),
  row('Output', 'boolean', 'text', 'The same as --format=text.'),
  row('Output', 'boolean', 'use-md5', 'Write names as MD5 prefixes (extbinary).'),
  row('Output', 'boolean', 'compress-all-sections', 'Compress every section (extbinary).'),
  row(
    'Output',
    'string',
    'convert-sample-profile-layout',
    'Take away calling contexts: nest inlines, flat adds up.',
    { value: 'NAME', choices: ['flat', 'nest'] },
  ),
  row(
    'Output',
    'boolean',
    'generate-merged-base-profiles',
    'What nest inlines stays a function of its own, too.',
  ),
  row('Output', 'boolean', 'drop-profile-symbol-list', 'Leave out the profile symbol list.'),
  JSON_RESULT,
];

/** llvm-profdata's own kinds of input and output that are not sample profiles. */
const NOT_SAMPLE: readonly Flag[] = [
  ...ignored('boolean', 'sample'),
  refused('boolean', 'instr', 'instrumentation profiles are not supported; use llvm-profdata'),
];

/** All flags of `autofdo-gen merge`. */
export const MERGE_FLAGS: readonly Flag[] = [
  row('Input', 'list', 'weighted-input', 'A profile whose counts are multiplied; repeatable.', {
    value: 'WEIGHT,FILE',
  }),
  row('Input', 'list', 'input-files', 'A list of profiles, [WEIGHT,]FILE a line; repeatable.', {
    aliases: ['f'],
    value: 'LIST',
  }),
  row('Input', 'boolean', 'keep-going', 'Leave out profiles that cannot be read, with a warning.'),
  row('Input', 'string', 'failure-mode', 'any: fail; warn or all: the same as --keep-going.', {
    value: 'MODE',
    choices: ['any', 'warn', 'all'],
    default: 'any',
  }),
  ...ENCODING,
  row(
    'Output',
    'string',
    'prof-sym-list',
    'Names to add to the profile symbol list, one a line (extbinary).',
    {
      value: 'FILE',
    },
  ),
  row(
    'Output',
    'boolean',
    'gen-partial-profile',
    'Functions without samples are unknown, not cold (extbinary).',
  ),
  row('Output', 'integer', 'output-size-limit', 'Drop the coldest functions until the result fits.', {
    value: 'BYTES',
  }),
  row('Profile', 'string', 'function', 'Only functions whose name matches.', { value: 'REGEX' }),
  row('Profile', 'string', 'no-function', 'No functions whose name matches.', { value: 'REGEX' }),
  row('Profile', 'boolean', 'sample-merge-cold-context', 'Add up cold calling contexts.'),
  row('Profile', 'boolean', 'sample-trim-cold-context', 'Drop cold calling contexts.'),
  row(
    'Profile',
    'integer',
    'sample-frame-depth-for-cold-context',
    'Frames that stay of contexts that are added up.',
    { value: 'N', default: '1' },
  ),
  row('Profile', 'boolean', 'trim-cold', 'Drop functions colder than the cold threshold.'),
  row('Profile', 'integer', 'profile-summary-cutoff-cold', 'Cold cut-off in millionths.', {
    value: 'N',
    default: '999999',
  }),
  row('Profile', 'integer', 'profile-summary-cold-count', 'Cold threshold as a count.', { value: 'N' }),
  JOBS,
  QUIET,
  HELP,
  ...NOT_SAMPLE,
  refused('boolean', 'gcc', "GCC's encoding cannot be written; --extbinary is for clang"),
  refused('string', 'remapping-file', 'symbol remapping is not supported; use llvm-profdata'),
  refused('string', 'supplement-instr-with-sample', 'instrumentation profiles are not supported'),
];

/** All flags of `autofdo-gen convert`. */
export const CONVERT_FLAGS: readonly Flag[] = [...ENCODING, QUIET, HELP, ...ignored('boolean', 'sample')];

/** All flags of `autofdo-gen show`. */
export const SHOW_FLAGS: readonly Flag[] = [
  row('Output', 'boolean', 'json', 'Print the findings as JSON.'),
  DEMANGLE,
  TOP,
  row('Output', 'string', 'function', 'All counts of this function.', { value: 'NAME' }),
  row('Output', 'boolean', 'all-functions', 'All counts of all functions.'),
  row('Output', 'boolean', 'hot-func-list', 'The functions with a hot count.'),
  row('Output', 'boolean', 'detailed-summary', 'How counts are distributed.'),
  row('Output', 'boolean', 'show-prof-sym-list', 'The profile symbol list.'),
  row('Output', 'boolean', 'show-sec-info-only', 'The sections of an extbinary profile.'),
  HELP,
  ...NOT_SAMPLE,
  refused('boolean', 'memory', 'memory profiles are not supported; use llvm-profdata'),
];

/** All flags of `autofdo-gen overlap`. */
export const OVERLAP_FLAGS: readonly Flag[] = [
  row('Output', 'boolean', 'json', 'Print the findings as JSON.'),
  DEMANGLE,
  TOP,
  row(
    'Output',
    'integer',
    'value-cutoff',
    'A line for each function of the test profile with such a count.',
    {
      value: 'COUNT',
    },
  ),
  row('Output', 'integer', 'similarity-cutoff', 'A line for each function less similar, in millionths.', {
    value: 'N',
  }),
  row('Checks', 'number', 'threshold', 'Exit with 1 if the profiles are less similar than this.', {
    value: 'PERCENT',
  }),
  HELP,
  ...NOT_SAMPLE,
  refused('boolean', 'cs', 'instrumentation profiles are not supported; use llvm-profdata'),
  refused(
    'string',
    'function',
    'it only selects contexts of context-sensitive profiles; --topn lists what differs',
  ),
];
