/**
 * A stage of a job. Generating goes through all stages but the last two, in this order; `decode` takes most of the
 * time, and `download` occurs only if debug files are fetched. Merging has only the stage `merge`. A report of
 * recordings has the stages of generating and then `report`; a report of finished profiles has only `report`.
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

/** The progress of a job. Phases may overlap; the reports never go back to an earlier phase. */
export interface Progress {
  /** The running stage. */
  phase: Phase;
  /**
   * Units of work that are done in this stage. In `decode`: bytes of the input. In `download`: bytes of the file.
   * In `merge` and `report`: profiles.
   */
  done: number;
  /** Number of all units of the stage; 0 if it is not known, for example for a stream. */
  total: number;
  /**
   * Number of the recording that is being read, from 1, if there are several. `done` and `total` count all
   * recordings.
   */
  file?: number;
  /** Number of recordings, if there are several. */
  files?: number;
}
