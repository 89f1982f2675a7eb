//! Decodes branch stacks and counts their traces, on all threads of the pool.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use perfdata::{ChunkBuffer, ChunkStats, CpuMode, Sample, Segment};
use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::failure::input_error;
use crate::ledger::EntryClass;
use crate::locate::{Resolver, View};
use crate::observer::{Observer, Phase, Progress};
use crate::options::{Compat, Selection};
use crate::stack::Stack;
use crate::trace::TraceTable;

/// Address spaces that a worker remembers; more processes than these are rare, and only cost time.
const REMEMBERED_VIEWS: usize = 1024;

/// What the samples of one or several segments came to.
#[derive(Default)]
pub(crate) struct Collected {
    pub traces: TraceTable,
    pub samples: u64,
    pub branch_samples: u64,
    pub guest_samples: u64,
    /// Samples that could not be decoded.
    pub chunks: ChunkStats,
}

impl Collected {
    pub(crate) fn merge(&mut self, other: Self) {
        self.traces.merge(other.traces);
        self.samples = self.samples.wrapping_add(other.samples);
        self.branch_samples = self.branch_samples.wrapping_add(other.branch_samples);
        self.guest_samples += other.guest_samples;
        self.chunks.add(other.chunks);
    }
}

/// What decides whether and how a sample counts.
pub(crate) struct Filter<'a> {
    pub select: &'a Selection,
    /// By event: whether its samples count.
    pub events: Vec<bool>,
    pub compat: Compat,
}

/// Counts all samples of a segment. The result does not depend on how chunks fall to threads: counts only add up.
pub(crate) fn collect(
    segment: &Segment,
    resolver: &Resolver<'_>,
    filter: &Filter<'_>,
    observer: &dyn Observer,
) -> Result<Collected, Error> {
    let cancelled = observer.cancel_flag();
    let next = AtomicUsize::new(0);
    let done = AtomicU64::new(0);
    let total = (0..segment.chunk_count()).map(|chunk| segment.chunk_bytes(chunk)).sum();
    let workers = rayon::broadcast(|_| -> Result<Collected, Error> {
        let mut worker = Worker::new(resolver, filter);
        let mut buffer = ChunkBuffer::default();
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= segment.chunk_count() {
                return Ok(worker.collected);
            }
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::aborted());
            }
            let stats = segment
                .decode_chunk(chunk, &mut buffer, |sample| worker.add(sample))
                .map_err(input_error)?;
            worker.collected.chunks.add(stats);
            let bytes = segment.chunk_bytes(chunk);
            let done = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            observer.progress(Progress {
                phase: Phase::Decode,
                done,
                total,
            });
        }
    });
    let mut all = Collected::default();
    for worker in workers {
        all.merge(worker?);
    }
    Ok(all)
}

struct Worker<'a> {
    resolver: &'a Resolver<'a>,
    filter: &'a Filter<'a>,
    /// By process: the view that was valid last, and its number.
    views: FxHashMap<i32, (u16, View<'a>)>,
    /// Numbers given to views since the cache of traces was flushed.
    numbered_views: u16,
    collected: Collected,
}

impl<'a> Worker<'a> {
    fn new(resolver: &'a Resolver<'a>, filter: &'a Filter<'a>) -> Self {
        Self {
            resolver,
            filter,
            views: FxHashMap::default(),
            numbered_views: 0,
            collected: Collected {
                traces: TraceTable::new(resolver.targets.len()),
                ..Collected::default()
            },
        }
    }

    fn add(&mut self, sample: &Sample<'_>) {
        self.collected.samples += 1;
        let entries = sample.branches.len() as u64;
        if entries == 0 {
            return;
        }
        self.collected.branch_samples += 1;
        self.collected.traces.read(entries);
        if !self.selects(sample) {
            self.collected.traces.add_lost(EntryClass::Deselected, entries);
            return;
        }
        if matches!(sample.cpumode, CpuMode::GuestKernel | CpuMode::GuestUser) {
            // A guest's addresses mean nothing in the host's address spaces.
            self.collected.guest_samples += 1;
            self.collected.traces.add_lost(EntryClass::Unmapped, entries);
            return;
        }
        let known = self.views.get(&sample.pid);
        if !known.is_some_and(|(_, view)| view.is_valid_at(sample.moment)) {
            self.renew_view(sample);
        }
        if let Some((number, view)) = self.views.get_mut(&sample.pid) {
            let stack = Stack {
                branches: sample.branches.iter(),
                times: 1,
                view: *number,
            };
            stack.count(view, self.filter.compat, &mut self.collected.traces);
        }
    }

    fn renew_view(&mut self, sample: &Sample<'_>) {
        if self.views.len() >= REMEMBERED_VIEWS || self.numbered_views == u16::MAX {
            self.views.clear();
            self.collected.traces.flush();
            self.numbered_views = 0;
        }
        let view = self.resolver.view(sample.pid, sample.moment);
        self.views.insert(sample.pid, (self.numbered_views, view));
        self.numbered_views += 1;
    }

    fn selects(&self, sample: &Sample<'_>) -> bool {
        let select = self.filter.select;
        let any = |list: &[i32], value: i32| list.is_empty() || list.contains(&value);
        self.filter
            .events
            .get(usize::from(sample.event))
            .is_none_or(|counts| *counts)
            && any(&select.pids, sample.pid)
            && any(&select.tids, sample.tid)
            && (select.cpus.is_empty() || select.cpus.contains(&sample.cpu))
            && select
                .time
                .is_none_or(|(first, last)| (first..=last).contains(&sample.time))
            && self.resolver.global_base.is_none_or(|global| global.reads(sample.pid))
    }
}
