//! Decodes the samples of a recording on all threads of the pool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use perfdata::{ChunkBuffer, ChunkStats, Sample, SampleSink, SampledAddress, Segment};
use rayon::prelude::*;

use crate::failure::recording_error;
use crate::{Error, Observer, Phase, Progress};

/// Counts samples on one thread.
pub trait SampleWorker: Send {
    /// Called at the end of a chunk whose samples have been counted. `stats` states the samples that could not be
    /// decoded.
    fn end_chunk(&mut self, stats: ChunkStats);
}

/// How workers take samples.
pub trait TakeSamples<W>: Sync {
    /// Lets a worker take a sample.
    fn sample(&self, worker: &mut W, sample: &Sample<'_>);

    /// See [`SampleSink::takes_addresses`].
    #[inline]
    fn takes_addresses(&self, _event: u16) -> bool {
        false
    }

    /// See [`SampleSink::addresses`].
    #[inline]
    fn addresses(&self, _worker: &mut W, _samples: impl Iterator<Item = SampledAddress>) -> u64 {
        0
    }
}

/// Takes all samples as a whole.
struct Whole<F>(F);

impl<W, F: Fn(&mut W, &Sample<'_>) + Sync> TakeSamples<W> for Whole<F> {
    #[inline]
    fn sample(&self, worker: &mut W, sample: &Sample<'_>) {
        (self.0)(worker, sample);
    }
}

/// A worker, and how it takes samples.
struct Taking<'a, W, T>(&'a mut W, &'a T);

impl<W, T: TakeSamples<W>> SampleSink for Taking<'_, W, T> {
    #[inline]
    fn sample(&mut self, sample: &Sample<'_>) {
        self.1.sample(self.0, sample);
    }

    #[inline]
    fn takes_addresses(&self, event: u16) -> bool {
        self.1.takes_addresses(event)
    }

    #[inline]
    fn addresses(&mut self, samples: impl Iterator<Item = SampledAddress>) -> u64 {
        self.1.addresses(self.0, samples)
    }
}

/// Workers that count samples, one for each thread, so that no thread waits for another. It is not defined which
/// worker counts which sample.
pub struct SampleWorkers<'o, W> {
    workers: Vec<Mutex<(W, ChunkBuffer)>>,
    observer: &'o dyn Observer,
    done: AtomicU64,
    total: u64,
}

impl<'o, W: SampleWorker> SampleWorkers<'o, W> {
    /// Makes workers for an input of `total` bytes; 0 if the size is not known.
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

    /// Passes all samples of a segment to `count`, and reports the progress.
    ///
    /// # Errors
    /// Fails if the rest of the recording cannot be read, or if the job is cancelled.
    pub fn add(&self, segment: &Segment, count: impl Fn(&mut W, &Sample<'_>) + Sync) -> Result<(), Error> {
        self.add_as(segment, &Whole(count))
    }

    /// Lets workers take all samples of a segment, and reports the progress.
    ///
    /// # Errors
    /// Fails if the rest of the recording cannot be read, or if the job is cancelled.
    pub fn add_as(&self, segment: &Segment, taking: &impl TakeSamples<W>) -> Result<(), Error> {
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
                    .decode_chunk_into(chunk, buffer, Taking(worker, taking))
                    .map_err(recording_error)?;
                worker.end_chunk(stats);
                let bytes = segment.chunk_bytes(chunk);
                let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                self.observer.progress(Progress::of(Phase::Decode, done, self.total));
                Ok(())
            })
    }

    /// Returns every worker. It may be called between segments.
    pub fn each(&mut self) -> impl Iterator<Item = &mut W> {
        let slots = self.workers.iter_mut();
        slots.map(|slot| &mut slot.get_mut().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Returns every worker, after the last segment.
    pub fn finish(self) -> impl Iterator<Item = W> {
        let slots = self.workers.into_iter();
        slots.map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner).0)
    }
}
