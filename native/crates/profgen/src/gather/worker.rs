//! Decodes samples and counts their branches or their addresses, on all threads of the pool.

use job::{Error, Observer, SampleWorker, SampleWorkers};
use perfdata::{ChunkStats, Consulted, Sample, Segment, Views};
use rayon::prelude::*;
use traceshard::Loss;

use crate::gather::chosen::Chosen;
use crate::gather::entry::Of;
use crate::gather::files::Followed;
use crate::gather::rows::{Rows, Tally};
use crate::gather::sampled::{SampledRows, SampledTable};
use crate::gather::spots::Spots;
use crate::gather::stacks::{StackRows, StackTable};
use crate::gather::table::Table;

/// Counts the samples of one input, segment by segment.
pub(crate) struct Workers<'a> {
    workers: SampleWorkers<'a, Worker>,
}

/// Counts of the workers.
#[derive(Default)]
pub(crate) struct Counted {
    /// Rows of branch stacks.
    pub rows: Rows,
    /// Rows of samples without a branch stack.
    pub sampled: SampledRows,
    /// Rows of whole samples with call chains.
    pub stacks: StackRows,
    pub tally: Tally,
    /// Number of samples that could not be decoded.
    pub chunks: ChunkStats,
    pub guest_samples: u64,
    /// Number of samples of a time whose address spaces were forgotten.
    pub late_samples: u64,
    /// Times of the first and the last sample that counts.
    pub times: Option<(u64, u64)>,
}

impl Counted {
    /// Returns true if nothing was counted, not even as lost.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.sampled.is_empty()
            && self.stacks.is_empty()
            && self.tally == Tally::default()
            && self.guest_samples == 0
    }

    /// Returns the number of rows, as an upper bound.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() + self.sampled.len() + self.stacks.len()
    }

    /// Forgets the sampled addresses and their call chains.
    pub(crate) fn forget_addresses(&mut self) {
        self.sampled.forget_addresses();
        self.tally.forget_addresses();
    }

    /// Moves the counts of `other` to these counts.
    pub(crate) fn take(&mut self, other: &mut Self) {
        self.rows.take(&mut other.rows);
        self.sampled.take(&mut other.sampled);
        self.stacks.take(&mut other.stacks);
        self.tally.merge(&std::mem::take(&mut other.tally));
        self.chunks.add(std::mem::take(&mut other.chunks));
        self.guest_samples += std::mem::take(&mut other.guest_samples);
        self.late_samples += std::mem::take(&mut other.late_samples);
        if let Some((first, last)) = other.times.take() {
            self.note_time(first);
            self.note_time(last);
        }
    }

    #[inline]
    fn note_time(&mut self, time: u64) {
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
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
            any |= changed(worker.views.forget(|| {
                worker.table.flush();
                worker.sampled.flush();
                worker.stacks.flush();
            }));
        }
        any
    }

    /// Returns true if all workers together have more rows than `most`. A row that several workers have
    /// counts for each.
    pub(crate) fn exceed(&mut self, most: usize) -> bool {
        let len = |workers: &mut Self| workers.workers.each().map(Worker::len).sum::<usize>();
        if len(self) + self.workers.each().count() * Table::MOST_IN_SLOTS <= most {
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
            let (sampled, tally) = worker.sampled.drain();
            worker.counted.sampled = sampled;
            worker.counted.stacks = worker.stacks.drain();
            worker.counted.tally.merge(&tally);
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
    sampled: SampledTable,
    stacks: StackTable,
    /// Counts that are in no table.
    counted: Counted,
}

/// The tables of a worker.
struct Tables<'w> {
    table: &'w mut Table,
    sampled: &'w mut SampledTable,
    stacks: &'w mut StackTable,
}

impl SampleWorker for Worker {
    fn end_chunk(&mut self, stats: ChunkStats) {
        self.counted.chunks.add(stats);
    }
}

impl Worker {
    fn len(&mut self) -> usize {
        self.table.len() + self.sampled.len() + self.stacks.len()
    }

    fn add(&mut self, sample: &Sample<'_>, followed: &Followed, chosen: &Chosen<'_>) {
        let entries = if sample.one_branch {
            1
        } else {
            sample.branches.len() as u64
        };
        let tally = self.table.tally();
        tally.add(Loss::Samples, 1);
        if entries == 0 || chosen.usable.addresses {
            self.add_address(sample, followed, chosen);
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
        let call_chains = chosen.call_chains[event];
        let is_left_out = !sample.call_chain.is_empty() && !sample.one_branch && !call_chains.are_wanted();
        tally.add(Loss::CallChains, u64::from(is_left_out));
        self.counted.note_time(sample.time);
        self.with_spots(sample, followed, |tables, spots, number| {
            let event = chosen.numbers[event];
            if sample.one_branch {
                return tables.sampled.add_branch(sample, event, spots);
            }
            tables
                .table
                .count(sample.branches.iter(), Of::new(event, number), spots);
            if call_chains.are_wanted() {
                let is_wanted = |kind| call_chains.of(kind) == Some(true);
                tables.stacks.add(sample, Of::new(event, number), spots, is_wanted);
            }
        });
    }

    /// Calls `count` with the address space of a sample and the number of its view. Empties the tables that have
    /// numbers of views before these numbers are used again.
    #[inline(always)]
    fn with_spots(
        &mut self,
        sample: &Sample<'_>,
        followed: &Followed,
        count: impl FnOnce(Tables<'_>, &mut Spots, u16),
    ) {
        self.counted.late_samples += u64::from(sample.moment < followed.since);
        let (spots, number) = self.views.of(
            sample.pid,
            sample.moment,
            || Spots::new(followed, sample.pid, sample.moment),
            || {
                self.table.flush();
                self.sampled.flush();
                self.stacks.flush();
            },
        );
        let tables = Tables {
            table: &mut self.table,
            sampled: &mut self.sampled,
            stacks: &mut self.stacks,
        };
        count(tables, spots, number);
    }

    /// Counts the address of a sample, if it has no branch stack or if addresses count.
    #[inline(never)]
    fn add_address(&mut self, sample: &Sample<'_>, followed: &Followed, chosen: &Chosen<'_>) {
        if !chosen.counts_addresses(sample.event) {
            return;
        }
        let event = usize::from(sample.event);
        if !chosen.selects(sample) || event >= chosen.numbers.len() {
            self.sampled.lose_address(Loss::AddressesDeselected);
            return;
        }
        if sample.cpumode.is_guest() {
            self.counted.guest_samples += 1;
            self.sampled.lose_address(Loss::AddressesOfGuests);
            return;
        }
        self.counted.note_time(sample.time);
        self.with_spots(sample, followed, |tables, spots, number| {
            tables.sampled.add_address(sample, chosen.numbers[event], spots, number);
        });
    }
}
