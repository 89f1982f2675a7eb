//! Decodes samples and counts their branches, on all threads of the pool.

use job::{Error, Observer, SampleWorker, SampleWorkers};
use perfdata::{ChunkStats, Consulted, Sample, Segment, Views};
use rayon::prelude::*;
use traceshard::Loss;

use crate::gather::files::Followed;
use crate::gather::rows::{EventId, Rows, Tally};
use crate::gather::spots::Spots;
use crate::gather::table::{Of, Table};
use crate::request::options::Selection;

/// The events whose samples count, and the numbers of events.
pub(crate) struct Chosen<'a> {
    pub select: &'a Selection,
    /// True for each event whose samples count.
    pub events: Vec<bool>,
    /// Number in the job of each event.
    pub numbers: Vec<EventId>,
}

/// Counts the samples of one input, segment by segment.
pub(crate) struct Workers<'a> {
    workers: SampleWorkers<'a, Worker>,
}

/// Counts of the workers.
#[derive(Default)]
pub(crate) struct Counted {
    pub rows: Rows,
    pub tally: Tally,
    /// Number of samples that could not be decoded.
    pub chunks: ChunkStats,
    pub guest_samples: u64,
    /// Times of the first and the last sample that counts.
    pub times: Option<(u64, u64)>,
}

impl Counted {
    /// Returns true if nothing was counted, not even as lost.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.tally == Tally::default() && self.guest_samples == 0
    }

    /// Moves the counts of `other` to these counts.
    pub(crate) fn take(&mut self, other: &mut Self) {
        self.rows.take(&mut other.rows);
        self.tally.merge(&std::mem::take(&mut other.tally));
        self.chunks.add(std::mem::take(&mut other.chunks));
        self.guest_samples += std::mem::take(&mut other.guest_samples);
        if let Some((first, last)) = other.times.take() {
            let (earliest, latest) = self.times.unwrap_or((first, last));
            self.times = Some((earliest.min(first), latest.max(last)));
        }
    }
}

impl<'a> Workers<'a> {
    /// Makes workers for an input of `total` bytes; 0 if the size is not known.
    pub(crate) fn new(observer: &'a dyn Observer, total: u64) -> Self {
        Self {
            workers: SampleWorkers::new(observer, total, Worker::default),
        }
    }

    /// Counts all samples of a segment.
    pub(crate) fn add(&self, segment: &Segment, followed: &Followed, chosen: &Chosen<'_>) -> Result<(), Error> {
        self.workers
            .add(segment, |worker, sample| worker.add(sample, followed, chosen))
    }

    /// Makes the workers look up every address space again, because address spaces have changed. Returns true
    /// if `changed` is true for an address space that was looked up before.
    pub(crate) fn forget_spaces(&mut self, changed: impl Fn(&Consulted) -> bool) -> bool {
        let mut any = false;
        for worker in self.workers.each() {
            any |= changed(worker.views.forget(|| worker.table.flush()));
        }
        any
    }

    /// Returns true if all workers together have more rows than `most`. A row that several workers have
    /// counts for each.
    pub(crate) fn exceed(&mut self, most: usize) -> bool {
        let len = |workers: &mut Self| workers.workers.each().map(|worker| worker.table.len()).sum::<usize>();
        if len(self) <= most {
            return false;
        }
        self.in_parallel(|worker| worker.table.add_up());
        len(self) > most
    }

    /// Moves the counts into `all`.
    pub(crate) fn drain_into(&mut self, all: &mut Counted) {
        self.in_parallel(|worker| {
            worker.counted.rows = worker.table.drain();
            worker.counted.tally = worker.table.take_tally();
        });
        for worker in self.workers.each() {
            all.take(&mut worker.counted);
        }
    }

    fn in_parallel(&mut self, work: impl Fn(&mut Worker) + Sync) {
        let mut workers: Vec<_> = self.workers.each().collect();
        workers.par_iter_mut().for_each(|worker| work(worker));
    }
}

#[derive(Default)]
struct Worker {
    views: Views<Spots>,
    table: Table,
    /// Counts that are not in the table.
    counted: Counted,
}

impl SampleWorker for Worker {
    fn end_chunk(&mut self, stats: ChunkStats) {
        self.counted.chunks.add(stats);
    }
}

impl Worker {
    fn add(&mut self, sample: &Sample<'_>, followed: &Followed, chosen: &Chosen<'_>) {
        let entries = sample.branches.len() as u64;
        let tally = self.table.tally();
        tally.add(Loss::Samples, 1);
        if entries == 0 {
            return;
        }
        tally.add(Loss::BranchSamples, 1);
        tally.add(Loss::Entries, entries);
        let event = usize::from(sample.event);
        if !chosen.selects(sample) || event >= chosen.numbers.len() {
            tally.add(Loss::Deselected, entries);
            return;
        }
        if sample.cpumode.is_guest() {
            self.counted.guest_samples += 1;
            tally.add(Loss::Guest, entries);
            return;
        }
        tally.add(Loss::CallChains, u64::from(!sample.call_chain.is_empty()));
        let (first, last) = self.counted.times.unwrap_or((sample.time, sample.time));
        self.counted.times = Some((first.min(sample.time), last.max(sample.time)));
        let (spots, number) = self.views.of(
            sample.pid,
            sample.moment,
            || Spots::new(followed, sample.pid, sample.moment),
            || self.table.flush(),
        );
        let of = Of::new(chosen.numbers[event], number);
        self.table.count(sample.branches.iter(), of, spots);
    }
}

impl Chosen<'_> {
    fn selects(&self, sample: &Sample<'_>) -> bool {
        self.events.get(usize::from(sample.event)).is_none_or(|counts| *counts) && self.select.has(sample)
    }
}
