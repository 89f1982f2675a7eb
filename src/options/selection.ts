import type { BindingSelection } from '../../native/binding/index.cjs';
import { defined, invalid, list } from './check.js';
import { flag, type OptionTable } from './flag.js';

/** Which samples count. */
export interface SampleSelection {
  /**
   * Names of the events that count, as `perf evlist` prints them; default all. Text names events if `perf script` was
   * told to (`-F event,ip,brstack`).
   */
  event?: string | readonly string[] | undefined;
  /** Process ids that count; default all. Of text, only the mappings of others are left out: its samples have none. */
  pid?: number | readonly number[] | undefined;
  /** Thread ids that count; default all. */
  tid?: number | readonly number[] | undefined;
  /** Processor numbers that count; default all. */
  cpu?: number | readonly number[] | undefined;
  /** First and last time stamp that count, in nanoseconds of the recording's clock, both inclusive. */
  time?: readonly [bigint, bigint] | undefined;
}

/** The definition of each option that chooses samples. */
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
    'Only samples between these times, in seconds as perf prints them; either may be empty.',
    {
      value: 'START,STOP',
    },
  ),
} satisfies OptionTable<SampleSelection>;

/** Options with the selection as the addon takes it. Throws `INVALID_OPTIONS`. */
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
