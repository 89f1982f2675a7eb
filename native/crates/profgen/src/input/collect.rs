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
use crate::input::events::UsableEvents;
use crate::request::options::{GenerateOptions, SampleUse};

/// What the samples of one or several segments came to.
#[derive(Default)]
pub(crate) struct Collected {
    pub traces: TraceTable,
    /// Sampled addresses, of inputs of which these count, and of samples without a stack.
    pub addresses: AddressCounts,
    /// Who called the code that has these addresses.
    pub call_sites: CallSites,
    /// Instead of these, if traces for BOLT are wanted.
    pub bolt: Option<BoltTraces>,
    /// What call stacks came to, if samples have them.
    pub call_stacks: Option<CallStacks>,
    pub samples: u64,
    pub branch_samples: u64,
    pub guest_samples: u64,
    /// Samples that could not be decoded.
    pub chunks: ChunkStats,
}

impl Collected {
    /// What both came to.
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

    /// Forgets what is kept by the numbers of views, which are given again.
    fn forget_numbers_of_views(&mut self) {
        self.traces.flush();
        self.addresses.flush();
        if let Some(bolt) = &mut self.bolt {
            bolt.flush();
        }
    }
}

/// What decides whether and how a sample counts.
pub(crate) struct Filter<'a> {
    pub options: &'a GenerateOptions,
    pub rules: EntryRules,
    /// What of them counts.
    pub usable: UsableEvents,
    /// By event: whether its samples have call stacks. Nothing, if those of no event have, or if call stacks do not matter.
    pub call_stacks: Option<Vec<bool>>,
}

/// Counts the samples of one input, segment by segment, on all threads of the pool. The result does not depend on how chunks fall to
/// threads: counts only add up.
pub(crate) struct Collector<'a> {
    workers: SampleWorkers<'a, Worker<'a>>,
}

impl<'a> Collector<'a> {
    /// For samples of `targets` in an input of `total` bytes (0: not known). If samples may have call stacks, `functions` are those of the
    /// targets.
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

    /// Asks for every address space again, because they have changed. True if `changed` says so of an answer that was given before.
    pub(crate) fn forget_spaces(&mut self, changed: impl Fn(&Consulted) -> bool) -> bool {
        let mut any = false;
        for worker in self.workers.each() {
            any |= changed(worker.forget_views());
        }
        any
    }

    /// What all samples came to.
    pub(crate) fn finish(self) -> Collected {
        let all = self.workers.finish().map(|mut worker| {
            worker.collected.call_stacks = worker.call_stacks.map(|reader| reader.found);
            worker.collected
        });
        all.reduce(Collected::merged).unwrap_or_default()
    }
}

/// How samples of a segment are counted.
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
    fn address(&self, worker: &mut Worker<'a>, sample: SampledAddress) -> bool {
        worker.add_known_address(sample)
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
        let entries = if options.leading_ip_only {
            1
        } else {
            sample.branches.len() as u64
        };
        if entries == 0 {
            if options.samples == SampleUse::Any && filter.is_usable(sample.event) {
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
            // A guest's addresses mean nothing in the host's address spaces.
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
        let stack = Stack {
            branches,
            times,
            view: number,
        };
        let (Some(has_stack), Some(reader)) = (&filter.call_stacks, &mut self.call_stacks) else {
            traces.read(events);
            stack.count(view, filter.rules, traces);
            return;
        };
        reader.begin();
        if has_stack.get(usize::from(sample.event)) == Some(&true) {
            sample.call_chain.addresses().all(|address| reader.push(address, view));
        }
        if !reader.is_kept() {
            traces.lose(EntryClass::UnsureStack, events);
            return;
        }
        traces.read(events);
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

    /// Counts the address of a sample that counts, if it was sampled in the same address space before and is remembered.
    #[inline]
    fn add_known_address(&mut self, sample: SampledAddress) -> bool {
        let SampledAddress { pid, moment, ip, exact } = sample;
        let number = self.views.last_of(pid, moment);
        let is_known = number.is_some_and(|number| self.collected.addresses.add_known(ip, exact, number));
        self.collected.samples += u64::from(is_known);
        is_known
    }

    /// Counts the address of a sample.
    fn add_address(&mut self, sample: &Sample<'_>, resolver: &Resolver<'a, '_>, filter: &Filter<'_>) {
        if !filter.selects(sample, resolver) {
            self.collected.addresses.add_lost(EntryClass::Deselected);
            return;
        }
        if sample.cpumode.is_guest() {
            self.collected.guest_samples += 1;
            self.collected.addresses.add_lost(EntryClass::Unmapped);
            return;
        }
        let (view, number) = view_of(&mut self.views, &mut self.collected, sample, resolver);
        self.collected.addresses.add(sample.ip, sample.exact, view, number);
        self.collected.call_sites.add(sample.call_chain, view);
    }

    /// Forgets how address spaces looked, because they have changed.
    fn forget_views(&mut self) -> &Consulted {
        self.views.forget(|| self.collected.forget_numbers_of_views())
    }
}

/// The view of the address space that a sample is of, and its number.
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

    /// Whether no sample of this event has anything else that matters but its address.
    fn counts_each_address(&self, event: u16) -> bool {
        self.usable.addresses && self.options.select.has_all() && self.is_usable(event)
    }

    fn selects(&self, sample: &Sample<'_>, resolver: &Resolver<'_, '_>) -> bool {
        self.is_usable(sample.event)
            && self.options.select.has(sample)
            && resolver.global_base.is_none_or(|global| global.reads(sample.pid))
    }
}
