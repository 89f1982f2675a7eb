import type { ProfileFormat } from '../sample-profile/types.js';
import { choice, flag } from './flag.js';

/** The whole, in the unit of shares and cut-offs: a million millionths. */
export const MILLION = 1_000_000;

/** Names of the encodings that can be written. */
export const FORMATS = ['extbinary', 'binary', 'text'] as const satisfies readonly ProfileFormat[];

/** The flag for the encoding of the result. */
export const FORMAT = choice('Output', FORMATS, 'format', 'Encoding: extbinary, binary or text.', {
  default: 'extbinary',
});

/** The flag for the place of the result. */
export const OUTPUT = flag('Output', 'string', 'output', 'Where the profile goes; - is stdout.', {
  aliases: ['o'],
  value: 'FILE',
});

/** The flag for names that are written as hashes. */
export const USE_MD5 = flag('Output', 'boolean', 'use-md5', 'Write names as MD5 prefixes (extbinary).');

/** The flag for the cold threshold as a cut-off. */
export const CUTOFF_COLD = flag(
  'Profile',
  'integer',
  'profile-summary-cutoff-cold',
  'Cold cut-off in millionths.',
  { value: 'N', default: '999999', most: MILLION },
);

/** The flag for the cold threshold as a count. */
export const COLD_COUNT = flag('Profile', 'u64', 'profile-summary-cold-count', 'Cold threshold as a count.', {
  value: 'N',
});

/** The flag for the number of threads. Commands whose job uses all processors have it. */
export const JOBS = flag('Run', 'integer', 'jobs', 'Worker threads.', {
  aliases: ['j', 'num-threads'],
  value: 'N',
  default: 'one for each processor',
  most: 1024,
});

/** The flag that prints the result as JSON. Commands that write a file have it. */
export const JSON_RESULT = flag(
  'Output',
  'boolean',
  'json',
  'Print the result, or the error, as JSON on stdout.',
);

/** The flag that prints the findings as JSON. Commands that write no file have it. */
export const JSON_FINDINGS = flag('Output', 'boolean', 'json', 'Print the findings as JSON.');

/** The flag for less output. */
export const QUIET = flag(
  'Run',
  'boolean',
  'quiet',
  'Print only warnings and errors: no summary, no notes, no progress.',
  { aliases: ['q'] },
);

/** The flag for colours. Every command has it. */
export const COLOR = flag('Run', 'boolean', 'color', 'Colour messages, and the bars of reports.', {
  default: 'on a terminal',
});

/** The flag for help. Every command has it. */
export const HELP = flag('Run', 'boolean', 'help', 'Print this.', { aliases: ['h'] });

/** The flag for help that lists all flags. Every command has it. */
export const HELP_ALL = flag('Run', 'boolean', 'help-all', 'Print the help with all flags.');

/** The flag for the number of functions in a list. */
export const TOP = flag('Output', 'integer', 'topn', 'How many functions to list.', {
  aliases: ['top'],
  value: 'N',
  default: '10',
  most: 2 ** 32 - 1,
});
