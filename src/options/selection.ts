import type { BindingSelection } from '../../native/binding/index.cjs';
import { defined, invalid, list } from './check.js';
import { flag, type OptionTable } from './flag.js';

/** The selection of the samples that are counted. */
export interface SampleSelection {
  /**
   * Names of the events that are counted, as `perf evlist` prints them; default: all. A text names its events only
   * if `perf script` was told to print them (`-F event,ip,brstack`).
   */
  event?: string | readonly string[] | undefined;
  /**
   * Ids of the processes that are counted; default: all. In a text only the mappings of other processes are left
   * out, because samples in a text have no process.
   */
  pid?: number | readonly number[] | undefined;
  /** Ids of the threads that are counted; default: all. */
  tid?: number | readonly number[] | undefined;
  /** Numbers of the processors that are counted; default: all. */
  cpu?: number | readonly number[] | undefined;
  /**
   * First and last time stamp of the samples that are counted, in nanoseconds of the recording's clock, both
   * inclusive.
   */
  time?: readonly [bigint, bigint] | undefined;
}

/** The definition of each option that selects samples. */
export const SELECTION_OPTIONS = {
  event: flag('Samples', 'list', 'event', 'Only samples of this event; repeatable.', {
    aliases: ['perf-event'],
    value: 'NAME',
  }),
  pid: flag('Samples', 'integers', 'pid', 'Only samples of this process; repeatable, or a comma list.', {
    value: 'PID',
    least: -(2 ** 31),
    most: 2 ** 31 - 1,
  }),
  tid: flag('Samples', 'integers', 'tid', 'Only samples of this thread; repeatable, or a comma list.', {
    value: 'TID',
    least: -(2 ** 31),
    most: 2 ** 31 - 1,
  }),
  cpu: flag('Samples', 'integers', 'cpu', 'Only samples of these processors: 0,2,4-7.', {
    value: 'LIST',
    most: 2 ** 32 - 1,
  }),
  time: flag(
    'Samples',
    'time',
    'time',
    'Only samples from one time to another, both included, in seconds as perf prints them; either may be empty.',
    {
      value: 'START,STOP',
    },
  ),
} satisfies OptionTable<SampleSelection>;

/** Returns the options with the selection in the form that the addon takes. Throws `INVALID_OPTIONS`. */
export function withBindingSelection<T extends SampleSelection>(options: T) {
  const { event: _event, pid: _pid, tid: _tid, cpu: _cpu, time: _time, ...same } = options;
  return { ...same, select: toBindingSelection(options) };
}

function toBindingSelection({ event, pid, tid, cpu, time }: SampleSelection): BindingSelection {
  if (time !== undefined && time[0] > time[1]) {
    throw invalid('time ends before it starts', 'give the first and the last time stamp in this order');
  }
  return defined({
    events: event === undefined ? undefined : list(event),
    pids: pid === undefined ? undefined : list(pid),
    tids: tid === undefined ? undefined : list(tid),
    cpus: cpu === undefined ? undefined : list(cpu),
    time: time && ([time[0], time[1]] satisfies [bigint, bigint]),
  });
}
