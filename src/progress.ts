/** A stage of a job, in order. `decode` is the long one. */
export type Phase = 'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write';

/** How far a job is. */
export interface Progress {
  /** The running stage. */
  phase: Phase;
  /** Units of work done in this stage: bytes of input in `scan` and `decode`. */
  done: number;
  /** Units in all; 0 when not known, as for a stream. */
  total: number;
}
