//! Decodes branch stacks and counts their traces, on all threads of the pool.

use job::{Error, Observer, SampleWorker, SampleWorkers, TakeSamples};
use perfdata::{ChunkStats, Consulted, Sample, SampledAddress, Segment, Views};
use symbolize::FunctionTable;

use crate::account::ledger::EntryClass;
use crate::addresses::locate::{Resolver, View};
use crate::binaries::id::ByBinary;
use crate::binaries::target::Targets;
use crate::counting::bolt::{BoltTraces, StackKind};
use crate::counting::call_sites::CallSites;
use crate::counting::one_branch;
use crate::counting::sampled::AddressCounts;
use crate::counting::stack::{EntryRules, Stack, events_of};
use crate::counting::trace::TraceTable;
use crate::input::call_stack::{CallStackReader, CallStacks};
use crate::input::events::{HasCallChains, UsableEvents};
use crate::request::options::{GenerateOptions, SampleUse};

/// The counts of one or several segments.
#[derive(Default)]
pub(crate) struct Collected {
    pub traces: TraceTable,
    /// Sampled addresses: of inputs whose addresses count, and of samples without a branch stack.
    pub addresses: AddressCounts,
    /// The callers of the code at these addresses.
    pub call_sites: CallSites,
    /// Traces for BOLT, instead of the counts above, if they are wanted.
    pub bolt: Option<BoltTraces>,
    /// Counts by call stacks, if samples have call stacks.
    pub call_stacks: Option<CallStacks>,
    pub samples: u64,
    pub branch_samples: u64,
    pub guest_samples: u64,
    /// Number of samples that could not be decoded.
    pub chunks: ChunkStats,
}

impl Collected {
    /// Returns the sum of both.
    pub(crate) fn merged(mut self, other: Self) -> Self {
        self.merge(other);
        self
    }

    fn merge(&mut self, other: Self) {
        self.traces.merge(other.traces);
        self.addresses.merge(other.addresses);
        self.call_sites.merge(other.call_sites);
        self.bolt = match (self.bolt.take(), other.bolt) {
            (Some(mut all), Some(more)) => {
                all.merge(more);
                Some(all)
            }
            (all, more) => all.or(more),
        };
        if let Some(more) = other.call_stacks {
            self.call_stacks.get_or_insert_default().merge(more);
        }
        self.samples = self.samples.wrapping_add(other.samples);
        self.branch_samples = self.branch_samples.wrapping_add(other.branch_samples);
        self.guest_samples += other.guest_samples;
        self.chunks.add(other.chunks);
    }

    /// Empties the caches that use the numbers of views, because the numbers are used again.
    fn forget_numbers_of_views(&mut self) {
        self.traces.flush();
        self.addresses.flush();
        if let Some(bolt) = &mut self.bolt {
            bolt.flush();
        }
    }
}

/// The rules that decide whether and how a sample counts.
pub(crate) struct Filter<'a> {
    pub options: &'a GenerateOptions,
    pub rules: EntryRules,
    /// The events whose samples count, and which part of the samples counts.
    pub usable: UsableEvents,
    /// The call chains of each event that matter to the job's binaries.
    pub call_chains: Vec<HasCallChains>,
}

/// Counts the samples of one input, segment by segment, on all threads of the pool. The result does not
/// depend on how chunks are shared between threads, because counts only add up.
pub(crate) struct Collector<'a> {
    workers: SampleWorkers<'a, Worker<'a>>,
}

impl<'a> Collector<'a> {
    /// Makes a collector for samples of `targets` in an input of `total` bytes (0 if the size is not known).
    /// If samples may have call stacks, `functions` are the functions of the targets.
    pub(crate) fn new(
        targets: &'a Targets<'a>,
        functions: Option<&'a ByBinary<&'a FunctionTable>>,
        options: &GenerateOptions,
        observer: &'a dyn Observer,
        total: u64,
    ) -> Self {
        let several = (targets.len() > 1).then(|| targets.places());
        let bolt = || options.for_bolt.map(|_| BoltTraces::new());
        let reader = || functions.map(|functions| CallStackReader::new(targets, functions, options));
        Self {
            workers: SampleWorkers::new(observer, total, || Worker::new(several, bolt(), reader())),
        }
    }

    /// Counts all samples of a segment.
    pub(crate) fn add(&self, segment: &Segment, resolver: &Resolver<'a, '_>, filter: &Filter<'_>) -> Result<(), Error> {
        self.workers.add_as(segment, &Taking { resolver, filter })
    }

    /// Makes the workers look up every address space again, because address spaces have changed. Returns true
    /// if `changed` is true for an address space that was looked up before.
    pub(crate) fn forget_spaces(&mut self, changed: impl Fn(&Consulted) -> bool) -> bool {
        let mut any = false;
        for worker in self.workers.each() {
            any |= changed(worker.forget_views());
        }
        any
    }

    /// Returns the counts of all samples.
    pub(crate) fn finish(self) -> Collected {
        let all = self.workers.finish().map(|mut worker| {
            worker.collected.call_stacks = worker.call_stacks.map(|reader| reader.found);
            worker.collected
        });
        all.reduce(Collected::merged).unwrap_or_default()
    }
}

/// Counts the samples of a segment.
struct Taking<'s, 'a> {
    resolver: &'s Resolver<'a, 's>,
    filter: &'s Filter<'s>,
}

impl<'a> TakeSamples<Worker<'a>> for Taking<'_, 'a> {
    #[inline]
    fn sample(&self, worker: &mut Worker<'a>, sample: &Sample<'_>) {
        worker.add(sample, self.resolver, self.filter);
    }

    #[inline]
    fn takes_addresses(&self, event: u16) -> bool {
        self.filter.counts_each_address(event) && self.resolver.global_base.is_none()
    }

    #[inline]
    fn addresses(&self, worker: &mut Worker<'a>, samples: impl Iterator<Item = SampledAddress>) -> u64 {
        worker.add_known_addresses(samples)
    }
}

struct Worker<'a> {
    views: Views<View<'a>>,
    collected: Collected,
    call_stacks: Option<CallStackReader<'a>>,
}

impl SampleWorker for Worker<'_> {
    fn end_chunk(&mut self, stats: ChunkStats) {
        self.collected.chunks.add(stats);
    }
}

impl<'a> Worker<'a> {
    fn new(several: Option<usize>, bolt: Option<BoltTraces>, call_stacks: Option<CallStackReader<'a>>) -> Self {
        Self {
            views: Views::default(),
            collected: Collected {
                traces: TraceTable::new(several),
                bolt,
                ..Collected::default()
            },
            call_stacks,
        }
    }

    fn add(&mut self, sample: &Sample<'_>, resolver: &Resolver<'a, '_>, filter: &Filter<'_>) {
        self.collected.samples += 1;
        if filter.usable.addresses {
            self.add_address(sample, resolver, filter);
            return;
        }
        let options = filter.options;
        if sample.one_branch && options.reads_arm_spe() && options.for_bolt.is_none() {
            self.add_one_branch(sample, resolver, filter);
            return;
        }
        let entries = if options.leading_ip_only || sample.one_branch && options.reads_arm_spe() {
            1
        } else {
            sample.branches.len() as u64
        };
        if entries == 0 {
            if options.samples == SampleUse::Any && filter.usable.has_addresses(sample.event) {
                self.add_address(sample, resolver, filter);
            }
            return;
        }
        self.collected.branch_samples += u64::from(!sample.branches.is_empty());
        if !filter.selects(sample, resolver) {
            self.collected.traces.lose(EntryClass::Deselected, entries);
            return;
        }
        if sample.cpumode.is_guest() {
            // The addresses of a guest mean nothing in the address spaces of the host.
            self.collected.guest_samples += 1;
            self.collected.traces.lose(EntryClass::Unmapped, entries);
            return;
        }
        if self.collected.bolt.is_some() && options.reads_arm_spe() && one_branch::is_inside_a_run(sample) {
            self.collected.traces.lose(EntryClass::NotTaken, entries);
            return;
        }
        let (view, number) = view_of(&mut self.views, &mut self.collected, sample, resolver);
        let traces = &mut self.collected.traces;
        let branches = sample.branches.iter();
        if let Some(bolt) = &mut self.collected.bolt {
            traces.read(entries);
            let kind = StackKind {
                rules: filter.rules,
                one_branch: sample.one_branch && options.reads_arm_spe(),
            };
            bolt.count(branches, view, number, kind);
            return;
        }
        let times = match options.sample_period {
            None => 1,
            Some(period) if options.leading_ip_only => period,
            Some(period) => events_of(period, branches.clone(), view, filter.rules),
        };
        let events = traces.product(entries, times);
        if options.leading_ip_only {
            traces.read(events);
            traces.add_address(view.locate_target(sample.ip), times);
            return;
        }
        if traces.misses_many() {
            view.fetch(branches.clone().map(|branch| branch.from));
        }
        let mut stack = Stack {
            branches,
            times,
            view: number,
            except: None,
        };
        let call_chains = filter.call_chains.get(usize::from(sample.event));
        let (Some(&call_chains), Some(reader)) = (call_chains.filter(|has| has.decide()), &mut self.call_stacks) else {
            traces.read(events);
            stack.count(view, filter.rules, traces);
            return;
        };
        reader.begin(1, call_chains);
        if call_chains.are_wanted() {
            sample.call_chain.addresses().all(|address| reader.push(address, view));
        }
        if !reader.is_kept() {
            traces.lose(EntryClass::UnsureStack, events);
            return;
        }
        traces.read(events);
        stack.except = reader.except();
        stack.count_noting(view, filter.rules, traces, &mut reader.entries);
        reader.count(times);
    }

    /// Counts a sample of one branch.
    fn add_one_branch(&mut self, sample: &Sample<'_>, resolver: &Resolver<'a, '_>, filter: &Filter<'_>) {
        let times = filter.options.sample_period.unwrap_or(1);
        let traces = &mut self.collected.traces;
        self.collected.branch_samples += 1;
        traces.read(times);
        if !filter.selects(sample, resolver) {
            traces.add_lost(EntryClass::Deselected, times);
            return;
        }
        if sample.cpumode.is_guest() {
            self.collected.guest_samples += 1;
            traces.add_lost(EntryClass::Unmapped, times);
            return;
        }
        let (view, _) = view_of(&mut self.views, &mut self.collected, sample, resolver);
        one_branch::count(sample, times, view, &mut self.collected.traces);
    }

    /// Counts the addresses of samples that count, up to the first sample whose address is not in the cache, or
    /// whose address space is not that of the last sample. Returns the number of counted samples.
    #[inline]
    fn add_known_addresses(&mut self, samples: impl Iterator<Item = SampledAddress>) -> u64 {
        let addresses = &mut self.collected.addresses;
        let counted = self.views.with_last(|view| {
            let number = view.number();
            let known = samples.map_while(|sample| {
                view.is_of(sample.pid, sample.moment)
                    .then_some((sample.ip, sample.exact))
            });
            addresses.add_known(known, number)
        });
        let counted = counted.unwrap_or(0);
        self.collected.samples += counted;
        counted
    }

    /// Counts the address of a sample.
    fn add_address(&mut self, sample: &Sample<'_>, resolver: &Resolver<'a, '_>, filter: &Filter<'_>) {
        if !filter.selects(sample, resolver) {
            self.collected.addresses.add_lost(EntryClass::Deselected, 1);
            return;
        }
        if sample.cpumode.is_guest() {
            self.collected.guest_samples += 1;
            self.collected.addresses.add_lost(EntryClass::Unmapped, 1);
            return;
        }
        let (view, number) = view_of(&mut self.views, &mut self.collected, sample, resolver);
        self.collected.addresses.add(sample.ip, sample.exact, view, number);
        self.collected.call_sites.add(sample.call_chain, view);
    }

    /// Forgets the views of address spaces, because address spaces have changed. Returns the address spaces
    /// that were looked up.
    fn forget_views(&mut self) -> &Consulted {
        self.views.forget(|| self.collected.forget_numbers_of_views())
    }
}

/// Returns the view of the address space of a sample, and the number of the view.
#[inline]
fn view_of<'w, 'a>(
    views: &'w mut Views<View<'a>>,
    collected: &mut Collected,
    sample: &Sample<'_>,
    resolver: &Resolver<'a, '_>,
) -> (&'w mut View<'a>, u16) {
    views.of(
        sample.pid,
        sample.moment,
        || resolver.view(sample.pid, sample.moment),
        || collected.forget_numbers_of_views(),
    )
}

impl Filter<'_> {
    fn is_usable(&self, event: u16) -> bool {
        self.usable.events.get(usize::from(event)).is_none_or(|counts| *counts)
    }

    /// Returns true if only the address of a sample of this event matters.
    fn counts_each_address(&self, event: u16) -> bool {
        self.usable.addresses && self.options.select.has_all() && self.is_usable(event)
    }

    fn selects(&self, sample: &Sample<'_>, resolver: &Resolver<'_, '_>) -> bool {
        self.is_usable(sample.event)
            && self.options.select.has(sample)
            && resolver.global_base.is_none_or(|global| global.reads(sample.pid))
    }
}
