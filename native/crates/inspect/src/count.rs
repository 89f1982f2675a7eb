//! Counts samples on all threads.

use job::{Error, Observer, SampleWorker, SampleWorkers};
use perfdata::{AddressSpaces, ChunkStats, Consulted, CpuMode, EventAttr, MapId, MappedRange, Sample, Segment, Views};
use rustc_hash::FxHashMap;

/// Numbers of samples of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Number of samples, without those that are too short.
    pub samples: u64,
    /// Number of samples with a branch entry.
    pub branch_samples: u64,
    /// Number of branch entries, unfilled slots included.
    pub branch_entries: u64,
}

/// Counts of all samples.
#[derive(Default)]
pub(crate) struct Counts {
    pub events: Vec<EventCounts>,
    pub branch_depth: u64,
    pub time_span: Option<(u64, u64)>,
    pub maps: FxHashMap<MapId, u64>,
    pub chunks: ChunkStats,
}

impl Counts {
    fn merge(&mut self, other: Self) {
        if self.events.len() < other.events.len() {
            self.events.resize_with(other.events.len(), EventCounts::default);
        }
        for (sum, event) in self.events.iter_mut().zip(&other.events) {
            sum.samples += event.samples;
            sum.branch_samples += event.branch_samples;
            sum.branch_entries += event.branch_entries;
        }
        self.branch_depth = self.branch_depth.max(other.branch_depth);
        self.time_span = match (self.time_span, other.time_span) {
            (Some((first, last)), Some((earlier, later))) => Some((first.min(earlier), last.max(later))),
            (one, None) => one,
            (None, other) => other,
        };
        for (map, count) in other.maps {
            *self.maps.entry(map).or_default() += count;
        }
        self.chunks.add(other.chunks);
    }
}

/// Counts samples segment by segment. The result does not depend on which thread counts which sample.
pub(crate) struct Collector<'o> {
    workers: SampleWorkers<'o, Worker>,
}

impl<'o> Collector<'o> {
    /// Makes a collector for an input of `total` bytes; 0 if the size is not known.
    pub(crate) fn new(observer: &'o dyn Observer, total: u64) -> Self {
        Self {
            workers: SampleWorkers::new(observer, total, Worker::default),
        }
    }

    pub(crate) fn add(&self, segment: &Segment, attrs: &[EventAttr], spaces: &AddressSpaces) -> Result<(), Error> {
        self.workers
            .add(segment, |worker, sample| worker.add(sample, attrs, spaces))
    }

    /// Forgets the ranges of all address spaces, because the spaces have changed. Returns the spaces that were
    /// consulted, for each worker.
    pub(crate) fn forget_spaces(&mut self) -> Vec<&Consulted> {
        self.workers.each().map(|worker| worker.views.forget(|| {})).collect()
    }

    pub(crate) fn finish(self) -> Counts {
        let mut all = Counts::default();
        for worker in self.workers.finish() {
            all.merge(worker.counts);
        }
        all
    }
}

#[derive(Default)]
struct Worker {
    counts: Counts,
    views: Views<View>,
}

/// The ranges of one process that are remembered between two changes of its address space.
#[derive(Default)]
struct View {
    /// The range that was found last. It is tried first, because samples come in runs.
    hot: Option<MappedRange>,
}

impl SampleWorker for Worker {
    fn end_chunk(&mut self, stats: ChunkStats) {
        self.counts.chunks.add(stats);
    }
}

impl Worker {
    fn add(&mut self, sample: &Sample<'_>, attrs: &[EventAttr], spaces: &AddressSpaces) {
        let event = usize::from(sample.event);
        if self.counts.events.len() <= event {
            self.counts.events.resize_with(event + 1, EventCounts::default);
        }
        let entries = sample.branches.len() as u64;
        let counts = &mut self.counts.events[event];
        counts.samples += 1;
        counts.branch_samples += u64::from(entries > 0);
        counts.branch_entries += entries;
        self.counts.branch_depth = self.counts.branch_depth.max(entries);
        let Some(attr) = attrs.get(event) else { return };
        if attr.has_time() {
            let (first, last) = self.counts.time_span.unwrap_or((sample.time, sample.time));
            self.counts.time_span = Some((first.min(sample.time), last.max(sample.time)));
        }
        if attr.has_address_and_process() && matches!(sample.cpumode, CpuMode::Kernel | CpuMode::User) {
            self.count_image(sample, spaces);
        }
    }

    fn count_image(&mut self, sample: &Sample<'_>, spaces: &AddressSpaces) {
        let (view, _) = self.views.of(
            sample.pid,
            sample.moment,
            || {
                let space = spaces.space(sample.pid, sample.moment);
                (View::default(), space.period())
            },
            || {},
        );
        let contains = |range: &MappedRange| range.start <= sample.ip && sample.ip < range.end;
        if !view.hot.is_some_and(|range| contains(&range)) {
            view.hot = spaces.space(sample.pid, sample.moment).find(sample.ip);
        }
        let found = view.hot.map(|range| range.map);
        // The mode of the sample decides whether the kernel or the process ran, because the range that perf states
        // for the kernel image is unreliable.
        let in_kernel = sample.cpumode == CpuMode::Kernel;
        let map = found
            .filter(|map| (spaces.mapping(*map).cpumode == CpuMode::Kernel) == in_kernel)
            .or_else(|| spaces.kernel_image().filter(|_| in_kernel));
        if let Some(map) = map {
            *self.counts.maps.entry(map).or_default() += 1;
        }
    }
}
