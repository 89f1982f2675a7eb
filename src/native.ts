import type * as Binding from '../native/binding/index.cjs';
import { type Addon, loadAddon } from './addon.js';
import { toAutofdoError } from './errors.js';
import { JobQueue } from './job-queue.js';
import { worded } from './options/wording.js';
import type { Progress } from './progress.js';

/** The queue uses three of libuv's four threads: one stays free for the program that uses this library. */
const jobs = new JobQueue(3);

type Report = (progress: Progress) => void;
type Outcome<T> = { ok: true; value: T } | Binding.BindingFailure;

/** Starts a job in the addon. */
type Start<T> = (
  addon: Addon,
  cancel: Binding.BindingCancelToken,
  report: Report | undefined,
) => Promise<Outcome<T>>;

/** How the caller controls a running job and follows its progress. */
export interface JobControl {
  /** Aborts the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called while the job runs. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

export function runGenerate(options: Binding.BindingGenerateOptions, control: JobControl) {
  return runJob(control, (addon, cancel, report) => addon.generate(options, cancel, report));
}

export function runListing(options: Binding.BindingListingOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.listCode(options, cancel));
}

export function runMerge(options: Binding.BindingMergeOptions, control: JobControl) {
  return runJob(control, (addon, cancel, report) => addon.mergeProfiles(options, cancel, report));
}

export function runCollect(options: Binding.BindingCollectOptions, control: JobControl) {
  return runJob(control, (addon, cancel, report) => addon.collectTraces(options, cancel, report));
}

export function runInspectShard(path: string, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.inspectShard(path, cancel));
}

export function runShow(options: Binding.BindingShowOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.showProfile(options, cancel));
}

export function runExamine(options: Binding.BindingExamineOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.examineBinary(options, cancel));
}

export function runInspect(path: string, control: JobControl) {
  return runJob(control, (addon, cancel, report) => addon.inspectRecording(path, cancel, report));
}

export function runCompare(options: Binding.BindingCompareOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.compareProfiles(options, cancel));
}

export function runFindPlaces(options: Binding.BindingPlacesOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.findSourcePlaces(options, cancel));
}

/**
 * Writes a text to `output`, and refuses to replace a file that the job reads. Without `text`, only checks whether
 * the output may be written.
 */
export function writeOutput(options: Binding.BindingWriteOptions, control: JobControl) {
  return runJob(control, (addon, cancel) => addon.writeOutput(options, cancel));
}

/** Loads the demangler. It replaces each mangled name of C++ or Rust in a text by the name in the source. */
export async function loadDemangle(): Promise<(text: string) => string> {
  return (await loadAddon()).demangle;
}

/**
 * Runs one job in the addon.
 *
 * Rejects with an `AutofdoError`, with the signal's reason once it is aborted, or with what `onProgress` threw.
 */
function runJob<T>(control: JobControl, start: Start<T>): Promise<T> {
  return jobs.run(control.signal, () => follow(control, start));
}

async function follow<T>({ signal, onProgress }: JobControl, start: Start<T>): Promise<T> {
  const binding = await loadAddon();
  signal?.throwIfAborted();
  const cancel = new binding.BindingCancelToken();
  let thrown: { error: unknown } | undefined;
  // No JavaScript caller would catch an exception of the callback, so it would end the process.
  const report =
    onProgress &&
    ((progress: Progress) => {
      if (thrown !== undefined || signal?.aborted) return;
      try {
        onProgress(progress);
      } catch (error) {
        thrown = { error };
        cancel.cancel();
      }
    });
  const onAbort = () => cancel.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await start(binding, cancel, report);
    // The last progress reports arrive in this turn of the event loop.
    if (report !== undefined) await new Promise(setImmediate);
    if (thrown !== undefined) throw thrown.error;
    if (result.ok) return reworded(result.value);
    if (result.error.code === 'ABORTED') signal?.throwIfAborted();
    throw toAutofdoError(reworded(result.error));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Properties of the addon's results that hold texts, or objects with texts. */
const WITH_TEXTS = ['binaries', 'diagnostics', 'error', 'skipped', 'message', 'hint'];

/** Returns the addon's result, or a part of it, with options in its texts named as the caller knows them. */
function reworded<T>(value: T): T {
  if (typeof value === 'string') return worded(value) as T & string;
  if (Array.isArray(value)) return value.map(reworded) as T & unknown[];
  if (typeof value !== 'object' || value === null) return value;
  const texts = Object.entries(value).filter(([name]) => WITH_TEXTS.includes(name));
  return { ...value, ...Object.fromEntries(texts.map(([name, part]) => [name, reworded(part)])) };
}
