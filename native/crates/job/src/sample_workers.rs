//! Decodes the samples of a recording on all threads of the pool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use perfdata::{ChunkBuffer, ChunkStats, Sample, Segment};
use rayon::prelude::*;

use crate::failure::recording_error;
use crate::{Error, Observer, Phase, Progress};

/// Counts samples on one thread.
pub trait SampleWorker: Send {
    /// A chunk was decoded, whose samples have been counted; `stats` says which of them could not be decoded.
    fn end_chunk(&mut self, stats: ChunkStats);
}

/// One worker for each thread, so that no thread waits for another. Which worker counts which sample is not defined.
pub struct SampleWorkers<'o, W> {
    workers: Vec<Mutex<(W, ChunkBuffer)>>,
    observer: &'o dyn Observer,
    done: AtomicU64,
    total: u64,
}

impl<'o, W: SampleWorker> SampleWorkers<'o, W> {
    /// Workers for an input of `total` bytes, 0 if that is not known.
    pub fn new(observer: &'o dyn Observer, total: u64, worker: impl Fn() -> W) -> Self {
        Self {
            workers: (0..rayon::current_num_threads())
                .map(|_| Mutex::new((worker(), ChunkBuffer::default())))
                .collect(),
            observer,
            done: AtomicU64::new(0),
            total,
        }
    }

    /// Hands all samples of a segment to `count`, and reports the progress.
    ///
    /// # Errors
    /// If the recording cannot be read any more, or the job is cancelled.
    pub fn add(&self, segment: &Segment, count: impl Fn(&mut W, &Sample<'_>) + Sync) -> Result<(), Error> {
        let cancelled = self.observer.cancel_flag();
        (0..segment.chunk_count())
            .into_par_iter()
            .with_max_len(1)
            .try_for_each(|chunk| {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(Error::aborted());
                }
                let slot = &self.workers[rayon::current_thread_index().unwrap_or(0)];
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                let (worker, buffer) = &mut *slot;
                let stats = segment
                    .decode_chunk(chunk, buffer, |sample| count(worker, sample))
                    .map_err(recording_error)?;
                worker.end_chunk(stats);
                let bytes = segment.chunk_bytes(chunk);
                let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                self.observer.progress(Progress::of(Phase::Decode, done, self.total));
                Ok(())
            })
    }

    /// Every worker, between segments.
    pub fn each(&mut self) -> impl Iterator<Item = &mut W> {
        let slots = self.workers.iter_mut();
        slots.map(|slot| &mut slot.get_mut().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Every worker, after the last segment.
    pub fn finish(self) -> impl Iterator<Item = W> {
        let slots = self.workers.into_iter();
        slots.map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner).0)
    }
}
