//! Decodes branch stacks and counts their traces, on all threads of the pool.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use perfdata::{ChunkBuffer, ChunkStats, CpuMode, Sample, Segment, Speculation};
use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::failure::input_error;
use crate::ledger::{EntryClass, Ledger};
use crate::locate::{Place, Resolver, View, stronger};
use crate::observer::{Observer, Phase, Progress};
use crate::options::{Compat, Selection};
use crate::trace::{CodeOffset, NO_END, OUTSIDE, Trace, TraceTable};

/// Address spaces that a worker remembers; more processes than these are rare, and only cost time.
const REMEMBERED_VIEWS: usize = 1024;

/// What the samples of one or several segments came to.
#[derive(Default)]
pub(crate) struct Collected {
    /// By target.
    pub tables: Vec<TraceTable>,
    pub ledger: Ledger,
    pub samples: u64,
    pub branch_samples: u64,
    pub guest_samples: u64,
    /// Samples that could not be decoded.
    pub chunks: ChunkStats,
}

impl Collected {
    pub(crate) fn merge(&mut self, other: Self) {
        self.tables
            .resize_with(self.tables.len().max(other.tables.len()), TraceTable::default);
        for (mine, theirs) in self.tables.iter_mut().zip(other.tables) {
            mine.merge(theirs);
        }
        self.ledger += &other.ledger;
        self.samples += other.samples;
        self.branch_samples += other.branch_samples;
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
    views: FxHashMap<i32, View<'a>>,
    /// By target: the source of the entry looked at before, the end of the run to come.
    ends: Vec<CodeOffset>,
    collected: Collected,
}

impl<'a> Worker<'a> {
    fn new(resolver: &'a Resolver<'a>, filter: &'a Filter<'a>) -> Self {
        let targets = resolver.targets.len();
        let collected = Collected {
            tables: (0..targets).map(|_| TraceTable::default()).collect(),
            ..Collected::default()
        };
        Self {
            resolver,
            filter,
            views: FxHashMap::default(),
            ends: vec![NO_END; targets],
            collected,
        }
    }

    fn add(&mut self, sample: &Sample<'_>) {
        self.collected.samples += 1;
        let entries = sample.branches.len() as u64;
        if entries == 0 {
            return;
        }
        self.collected.branch_samples += 1;
        self.collected.ledger.read(entries);
        if !self.selects(sample) {
            self.collected.ledger[EntryClass::Deselected] += entries;
            return;
        }
        if matches!(sample.cpumode, CpuMode::GuestKernel | CpuMode::GuestUser) {
            // A guest's addresses mean nothing in the host's address spaces.
            self.collected.guest_samples += 1;
            self.collected.ledger[EntryClass::Unmapped] += entries;
            return;
        }
        if !self
            .views
            .get(&sample.pid)
            .is_some_and(|view| view.is_valid_at(sample.moment))
        {
            if self.views.len() >= REMEMBERED_VIEWS {
                self.views.clear();
            }
            self.views
                .insert(sample.pid, self.resolver.view(sample.pid, sample.moment));
        }
        if let Some(view) = self.views.get_mut(&sample.pid) {
            add_stack(sample, view, self.filter.compat, &mut self.ends, &mut self.collected);
        }
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

/// Pairs each entry with the one newer than it. Entries that have no end in a target are dropped first, so that a call into another
/// file and the return from it are neighbours.
fn add_stack(
    sample: &Sample<'_>,
    view: &mut View<'_>,
    compat: Compat,
    ends: &mut [CodeOffset],
    collected: &mut Collected,
) {
    ends.fill(NO_END);
    let mut used = 0;
    for branch in sample.branches.iter() {
        if compat == Compat::None {
            if branch.from.0 | branch.to.0 == 0 {
                collected.ledger[EntryClass::UnfilledSlot] += 1;
                continue;
            }
            if branch.flags.speculation() == Speculation::WrongPath {
                collected.ledger[EntryClass::WrongPath] += 1;
                continue;
            }
        }
        let places = (view.locate_source(branch.from), view.locate_target(branch.to));
        let (source, target) = match places {
            (Place::Lost(from), Place::Lost(to)) => {
                collected.ledger[stronger(from, to)] += 1;
                continue;
            }
            (Place::Code { target, offset }, Place::Lost(_)) => ((target, offset), (target, OUTSIDE)),
            (Place::Lost(_), Place::Code { target, offset }) => ((target, OUTSIDE), (target, offset)),
            (
                Place::Code {
                    target: a,
                    offset: from,
                },
                Place::Code { target: b, offset: to },
            ) => ((a, from), (b, to)),
        };
        used += 1;
        if source.0 == target.0 {
            let index = usize::from(source.0);
            collected.tables[index].add(Trace {
                from: source.1,
                to: target.1,
                end: ends[index],
            });
            ends[index] = source.1;
        } else {
            // Each of the two binaries sees a branch to or from the outside.
            let (left, entered) = (usize::from(source.0), usize::from(target.0));
            collected.tables[left].add(Trace {
                from: source.1,
                to: OUTSIDE,
                end: ends[left],
            });
            ends[left] = source.1;
            collected.tables[entered].add(Trace {
                from: OUTSIDE,
                to: target.1,
                end: ends[entered],
            });
            ends[entered] = OUTSIDE;
        }
    }
    collected.ledger[EntryClass::Used] += used;
}
