import type { BindingInspection } from '../../native/binding/index.cjs';
import { AutofdoError } from '../errors.js';
import { type JobControl, runInspect } from '../native.js';
import { checkLocal, checkOptions, invalid } from '../options/check.js';
import { NO_FLAG, type OptionTable } from '../options/flag.js';
import type { Progress } from '../progress.js';
import { branchFilterNames } from './event-attr.js';
import { FileFacts } from './file-facts.js';
import { readFeatures, readFileAttrs } from './file-layout.js';
import { HEADER_BYTES, parseHeader } from './header.js';
import { openMainFile } from './source.js';
import type { PerfDataSummary } from './summary.js';
import { judge } from './verdict.js';

/** Options of an inspection. */
export interface InspectOptions {
  /** Aborts the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called about ten times a second. An exception from this function ends the job. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

const INSPECT_OPTIONS = { signal: NO_FLAG, onProgress: NO_FLAG } satisfies OptionTable<InspectOptions>;

/**
 * Describes the contents of a perf.data: a file, a directory, a pipe stream, or standard input (`-`).
 *
 * Damage ends the reading and is reported in `problems`. Only a file that cannot be opened or is not a perf.data
 * is an error (`INPUT_UNREADABLE`, `INPUT_INVALID`). If there is no addon for the platform, only the header, the
 * events and the features of a file are read, not its records; `complete` is then false, and `problems` has the
 * reason.
 */
export async function inspectPerfData(path: string, options: InspectOptions = {}): Promise<PerfDataSummary> {
  if (typeof path !== 'string' || path === '') throw invalid('no recording was given', 'pass its path');
  checkOptions(options, INSPECT_OPTIONS);
  checkLocal([path]);
  return inspect(path, options);
}

async function inspect(path: string, control: JobControl): Promise<PerfDataSummary> {
  let summary: Omit<PerfDataSummary, 'autofdo'>;
  try {
    summary = fromBinding(path, await runInspect(path, control));
  } catch (error) {
    if (path === '-' || !(error instanceof AutofdoError) || error.code !== 'ADDON_UNAVAILABLE') throw error;
    summary = await readFacts(path, error);
  }
  return { ...summary, autofdo: judge(summary) };
}

function fromBinding(file: string, found: BindingInspection): Omit<PerfDataSummary, 'autofdo'> {
  const { timeSpan, events } = found;
  const sum = (of: (event: (typeof events)[number]) => bigint) =>
    events.reduce((total, event) => total + of(event), 0n);
  return {
    file,
    endian: found.endian,
    version: found.version,
    pipe: found.pipe,
    directory: found.directory,
    compressed: found.compressed,
    complete: found.complete,
    problems: found.problems,
    samples: found.samples,
    mmaps: found.mmaps,
    branchSamples: sum(({ branchSamples }) => branchSamples),
    branchEntries: sum(({ branchEntries }) => branchEntries),
    branchDepth: found.branchDepth,
    lost: { records: found.lostRecords, samples: found.lostSamples },
    unreadable: { unknownEvent: found.unknownEvent, tooShort: found.tooShort },
    timeSpan: timeSpan && { first: formatTime(timeSpan[0]), last: formatTime(timeSpan[1]) },
    events: events.map((event) => ({
      name: event.name,
      type: event.eventType,
      config: event.config,
      period: event.isFrequency ? undefined : event.samplePeriod,
      frequency: event.isFrequency ? event.samplePeriod : undefined,
      branchFilter: branchFilterNames(event),
      samples: event.samples,
      branchSamples: event.branchSamples,
      branchEntries: event.branchEntries,
    })),
    eventNames: events.map(({ name }) => name),
    buildIds: found.buildIds,
    images: found.images.map(({ path, buildId, samples }) => ({ path, buildId, samples })),
    machine: {
      hostname: found.hostname,
      osRelease: found.osRelease,
      arch: found.arch,
      cpu: found.cpu,
      cpuId: found.cpuId,
      cpus: found.cpus,
      branchStackDepth: Number(found.branchStackDepth) || undefined,
    },
    perfVersion: found.perfVersion,
    commandLine: found.commandLine.length > 0 ? found.commandLine : undefined,
  };
}

/** Reads the facts outside of the records. `missing` is the reason why the records cannot be read. */
async function readFacts(path: string, missing: AutofdoError): Promise<Omit<PerfDataSummary, 'autofdo'>> {
  const { source, directory } = await openMainFile(path);
  try {
    const header = parseHeader(await source.read(0, HEADER_BYTES), path);
    const facts = new FileFacts(header.littleEndian);
    if (!header.pipe) {
      await readFileAttrs(source, header, facts);
      await readFeatures(source, header, facts);
    }
    facts.endsEarly(`its records were not read: ${missing.message}`);
    const { features } = facts;
    const none = { samples: 0n, branchSamples: 0n, branchEntries: 0n };
    return {
      ...facts.describe(path, header, directory, () => none),
      ...none,
      compressed: features.compressed,
      mmaps: 0,
      branchDepth: 0,
      lost: { records: 0n, samples: 0n },
      unreadable: { unknownEvent: 0n, tooShort: 0n },
      timeSpan: undefined,
      buildIds: features.buildIds.map(({ id, path }): [string, string] => [id, path]).sort(),
      images: [],
    };
  } finally {
    await source.close();
  }
}

/** Writes nanoseconds as perf prints them: seconds with nine decimals. */
function formatTime(nanoseconds: string): string {
  const digits = nanoseconds.padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
