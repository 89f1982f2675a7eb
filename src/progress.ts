/**
 * A stage of a job. Generating goes through all but the last two, in this order, and `decode` is the long one; `download` is there only
 * if debug files are fetched. Merging is `merge` only. A report of recordings goes on with `report`, one of finished profiles is that only.
 */
export type Phase =
  | 'download'
  | 'open'
  | 'scan'
  | 'decode'
  | 'symbolize'
  | 'attribute'
  | 'write'
  | 'merge'
  | 'report';

/** How far a job is. Phases overlap; reports only ever move on to a later one. */
export interface Progress {
  /** The running stage. */
  phase: Phase;
  /** Units of work done in this stage: in `decode`, bytes of the input that is being read; in `download`, bytes of the file; in `merge` and `report`, profiles. */
  done: number;
  /** Units in all; 0 when not known, as for a stream. */
  total: number;
  /** Number of the recording that is being read, from 1, when there are several; `done` and `total` are of all of them. */
  file?: number;
  /** How many recordings there are, when there are several. */
  files?: number;
}
