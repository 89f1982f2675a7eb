/** A stage of a job, in order. `decode` is the long one. */
export type Phase = 'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write';

/** How far a job is. Phases overlap; reports only ever move on to a later one. */
export interface Progress {
  /** The running stage. */
  phase: Phase;
  /** Units of work done in this stage: in `decode`, bytes of the input that is being read. */
  done: number;
  /** Units in all; 0 when not known, as for a stream. */
  total: number;
}
