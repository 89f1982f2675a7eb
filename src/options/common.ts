import type { ProfileFormat } from '../sample-profile/types.js';
import { choice, flag } from './flag.js';

/** The scale of shares and cut-offs: all is a million millionths. */
export const MILLION = 1_000_000;

/** Encodings that can be written. */
export const FORMATS = ['extbinary', 'binary', 'text'] as const satisfies readonly ProfileFormat[];

/** The encoding of the result. */
export const FORMAT = choice('Output', FORMATS, 'format', 'Encoding: extbinary, binary or text.', {
  default: 'extbinary',
});

/** Where the result goes. */
export const OUTPUT = flag('Output', 'string', 'output', 'Where the profile goes; - is stdout.', {
  aliases: ['o'],
  value: 'FILE',
});

/** Names are written as hashes. */
export const USE_MD5 = flag('Output', 'boolean', 'use-md5', 'Write names as MD5 prefixes (extbinary).');

/** The cold threshold as a cut-off. */
export const CUTOFF_COLD = flag(
  'Profile',
  'integer',
  'profile-summary-cutoff-cold',
  'Cold cut-off in millionths.',
  { value: 'N', default: '999999', most: MILLION },
);

/** The cold threshold as a count. */
export const COLD_COUNT = flag('Profile', 'u64', 'profile-summary-cold-count', 'Cold threshold as a count.', {
  value: 'N',
});

/** The number of threads, of the commands that run a job on all processors. */
export const JOBS = flag('Run', 'integer', 'jobs', 'Worker threads.', {
  aliases: ['j', 'num-threads'],
  value: 'N',
  default: 'one for each processor',
  most: 1024,
});

/** The result as JSON, of the commands that write a file. */
export const JSON_RESULT = flag(
  'Output',
  'boolean',
  'json',
  'Print the result, or the error, as JSON on stdout.',
);

/** The findings as JSON, of the commands that tell something. */
export const JSON_FINDINGS = flag('Output', 'boolean', 'json', 'Print the findings as JSON.');

/** Less output. */
export const QUIET = flag(
  'Run',
  'boolean',
  'quiet',
  'No summary, notes or progress; warnings and errors only.',
  { aliases: ['q'] },
);

/** Colours, of every command. */
export const COLOR = flag('Run', 'boolean', 'color', 'Colour messages, and the bars of reports.', {
  default: 'on a terminal',
});

/** Help, of every command. */
export const HELP = flag('Run', 'boolean', 'help', 'Print this.', { aliases: ['h'] });

/** Help with all flags, of every command. */
export const HELP_ALL = flag('Run', 'boolean', 'help-all', 'Print the help with all flags.');

/** How many functions are listed. */
export const TOP = flag('Output', 'integer', 'topn', 'How many functions to list.', {
  aliases: ['top'],
  value: 'N',
  default: '10',
  most: 2 ** 32 - 1,
});
