//! Reads perf.data inputs, one after the other, and counts their traces.

mod bound_spaces;

use std::path::{Path, PathBuf};

use elf::TextPoke;
use job::failure::recording_error;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, InputObserver, Observer, Phase, Progress, repeated_inputs};
use perfdata::{Change, ChunkStats, Consulted, Metadata, Moment, PerfData, RecordStats, SideRecord};
use rustc_hash::FxHashSet;
use symbolize::FunctionTable;

use crate::account::statistics::Statistics;
use crate::addresses::binding::Binding;
use crate::addresses::locate::Resolver;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::mapped::Mapped;
use crate::binaries::target::{BySide, Side, Targets};
use crate::counting::stack::EntryRules;
use crate::input::arm_spe::about_arm_spe;
use crate::input::call_stack_report::{call_stack_diagnostics, no_zeros_with_contexts, not_all_have_call_chains};
use crate::input::collect::{Collected, Collector, Filter};
use crate::input::events::{about_addresses, call_chains, left_out, remarks, usable_events, without_user_frames};
use crate::input::other_mappings::OtherMappings;
use crate::input::perf_data::bound_spaces::BoundSpaces;
use crate::input::recording::open;
use crate::input::samples::{Samples, TargetSamples, add_addresses};
use crate::input::usable::{about_incomplete_call_chains, check_machine, guests, mapping_event, trouble};
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Samples are decoded when they are read. The job gives this up if a later record changes the meaning of
    /// earlier samples.
    Once,
    /// All records of a file are read before its samples.
    AllButSamplesFirst,
}

/// Reads all inputs. Their order does not matter: each has its own address spaces, and counts add up.
///
/// The targets of a group are counted together, and each group on its own. It is an error if the only target
/// cannot have samples. If samples may have call stacks, `functions` are the functions of the targets.
pub(crate) fn read_all(
    paths: &[PathBuf],
    groups: &[Targets<'_>],
    functions: Option<&ByBinary<&FunctionTable>>,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Samples, Error> {
    let diagnostics = if options.policy.words == Words::Own {
        repeated_inputs(paths.iter().map(PathBuf::as_path))
    } else {
        Vec::new()
    };
    let observers = InputObserver::for_each(paths, observer);
    let mut sampling = Sampling {
        options,
        groups,
        functions,
        has_call_stacks: None,
        observer,
        statistics: Statistics::default(),
        diagnostics,
        targets: groups
            .iter()
            .flat_map(Targets::iter)
            .map(|target| (target.id, TargetSamples::default()))
            .collect(),
        other_mappings: OtherMappings::default(),
        mapped: Mapped::default(),
        inputs: Vec::new(),
    };
    let mut all: Option<Vec<Collected>> = None;
    for (path, observer) in paths.iter().zip(&observers) {
        sampling.observer = observer;
        let read = sampling.read(path)?;
        all = Some(match all {
            Some(all) => all.into_iter().zip(read).map(|(all, read)| all.merged(read)).collect(),
            None => read,
        });
    }
    sampling.finish(all.unwrap_or_default())
}

struct Sampling<'a> {
    options: &'a GenerateOptions,
    groups: &'a [Targets<'a>],
    functions: Option<&'a ByBinary<&'a FunctionTable>>,
    /// True for each side whose binaries are counted by the call stacks of the first input; `None` before the first
    /// input.
    has_call_stacks: Option<BySide<bool>>,
    observer: &'a dyn Observer,
    statistics: Statistics,
    diagnostics: Vec<Diagnostic>,
    targets: ByBinary<TargetSamples>,
    /// The mappings of all inputs, to explain a job without samples.
    other_mappings: OtherMappings,
    mapped: Mapped,
    /// The inputs that were read, each with a mark that is true if its sampled addresses count.
    inputs: Vec<(PathBuf, bool)>,
}

impl<'a> Sampling<'a> {
    /// Returns the counts of one input, by group.
    fn read(&mut self, path: &Path) -> Result<Vec<Collected>, Error> {
        let mut input = open(path, self.observer)?;
        // llvm-profgen's load address depends on all mappings. A stream cannot be opened again.
        if self.options.policy.own_mappings && input.read_once() {
            let failures = self.targets.iter().map(|(id, target)| (*id, target.failure.clone()));
            let mut failures: ByBinary<Option<Error>> = failures.collect();
            match self.read_in(path, input, Reading::Once) {
                Ok(Some(collected)) => return Ok(collected),
                Err(error) if error.code == ErrorCode::Aborted => return Err(error),
                // The second reading decides: an error may vanish when all records are known.
                Err(_) | Ok(None) => {}
            }
            for (id, target) in &mut self.targets {
                target.failure = failures.remove(id).flatten();
            }
            input = open(path, self.observer)?;
        }
        let collected = self.read_in(path, input, Reading::AllButSamplesFirst)?;
        collected.ok_or_else(|| Error::new(ErrorCode::Internal, "records that came late, although all are known"))
    }

    /// Decodes each segment of an input while the next segment is read. Returns `None` if the input must be
    /// read the other way.
    fn read_in(&mut self, path: &Path, mut input: PerfData, reading: Reading) -> Result<Option<Vec<Collected>>, Error> {
        self.observer.progress(Progress::start(Phase::Scan));
        let groups = self.groups;
        let (options, observer, size) = (self.options, self.observer, input.size().unwrap_or(0));
        let functions = self.functions;
        let mut collectors: Vec<_> = groups
            .iter()
            .map(|group| Collector::new(group, functions, options, observer, size))
            .collect();
        let mut bound_spaces = BoundSpaces::new(groups.len());
        let mut stats = RecordStats::default();
        let mut pokes = FxHashSet::default();
        let mut events = None;
        let mut segment = input.next_segment().map_err(recording_error)?;
        while let Some(current) = segment {
            let filter = self.filter(input.metadata(), path)?;
            let mut late =
                current.events_changed() || *events.get_or_insert_with(|| filter.usable.clone()) != filter.usable;
            late |= bound_spaces.extend(&current, input.metadata(), groups, self.options);
            if !current.side_records().is_empty() {
                let changed = |consulted: &Consulted| bound_spaces.spaces.contradict(consulted, current.side_records());
                for collector in &mut collectors {
                    late |= collector.forget_spaces(changed);
                }
            }
            if late && reading == Reading::Once {
                return Ok(None);
            }
            let mut bases = Vec::with_capacity(groups.len());
            for (group, targets) in groups.iter().enumerate() {
                match bound_spaces.global_base(targets, self.options) {
                    Ok(base) => bases.push((group, base)),
                    Err(error) => self.fail(targets.first().id, error)?,
                }
            }
            let count = || {
                bases.iter().try_for_each(|(group, base)| {
                    let resolver = Resolver {
                        targets: &groups[*group],
                        spaces: &bound_spaces.spaces,
                        bindings: &bound_spaces.bindings[*group],
                        global_base: base.as_ref(),
                    };
                    collectors[*group].add(&current, &resolver, &filter)
                })
            };
            let (next, counted) = rayon::join(|| input.next_segment(), count);
            counted?;
            segment = next.map_err(recording_error)?;
            stats.add(current.stats());
            pokes.extend(current.side_records().iter().filter_map(poke_of));
            input.reuse(current);
        }
        // The events of a recording without records have not been checked yet.
        let filter = self.filter(input.metadata(), path)?;
        if reading == Reading::Once && events.is_some_and(|events| events != filter.usable) {
            return Ok(None);
        }
        let collected: Vec<_> = collectors.into_iter().map(Collector::finish).collect();
        let chunks = collected
            .iter()
            .map(|group| group.chunks)
            .max_by_key(|chunks| chunks.samples)
            .unwrap_or_default();
        let uses_call_chains = filter.call_chains.iter().any(|chains| chains.decide()) || filter.usable.addresses;
        if uses_call_chains && chunks.incomplete_call_chains > 0 {
            // The missing part of a call chain may stand far after its sample.
            if reading == Reading::Once {
                return Ok(None);
            }
            if !self.options.ignore_stack_samples {
                self.diagnostics.push(about_incomplete_call_chains(chunks, path));
            }
        }
        self.inputs.push((path.to_owned(), filter.usable.addresses));
        let has_addresses = collected.iter().any(|group| group.addresses.has_used());
        self.statistics.by_instructions |= filter.usable.by_instructions && has_addresses;
        self.diagnostics
            .extend(about_addresses(input.metadata(), &filter.usable));
        let trace = chunks.trace;
        self.account(&stats, chunks, path)?;
        self.diagnostics.extend(left_out(input.metadata(), self.options));
        let trace = about_arm_spe(input.metadata(), &filter.usable, &trace, path)?;
        self.diagnostics.extend(trace);
        if self.options.policy.words == Words::Own {
            self.diagnostics.extend(remarks(input.metadata(), self.options));
            if *groups[0].sides().of(Side::User) {
                let unused = without_user_frames(input.metadata(), self.options);
                self.diagnostics.extend(unused);
            }
        }
        if self.options.show_mmap_events {
            self.show_mappings(&mut bound_spaces.records);
        }
        for group in 0..self.groups.len() {
            self.summarize(group, &bound_spaces);
        }
        if self.options.looks_for_binaries() {
            self.mapped.add_release(input.metadata());
            for (_, mapping) in bound_spaces.spaces.mappings() {
                self.mapped.add(mapping, bound_spaces.build_id_of(mapping));
            }
        }
        if self.options.policy.decoding.patched_text {
            self.note_pokes(&pokes, &bound_spaces);
        }
        Ok(Some(collected))
    }

    /// Notes which code of targets was rewritten. The kernel and its modules lie in every process, at any
    /// time, at the addresses that they have in the process with the number 0.
    fn note_pokes(&mut self, pokes: &FxHashSet<perfdata::TextPoke>, bound_spaces: &BoundSpaces) {
        if pokes.is_empty() {
            return;
        }
        let resolver = Resolver {
            targets: &self.groups[0],
            spaces: &bound_spaces.spaces,
            bindings: &bound_spaces.bindings[0],
            global_base: None,
        };
        let (view, _) = resolver.view(0, Moment::START);
        for poke in pokes {
            if let Some((target, svma)) = view.target_at(poke.address) {
                self.samples_of(target.id).pokes.insert(TextPoke {
                    svma,
                    old: poke.old.clone(),
                    new: poke.new.clone(),
                });
            }
        }
    }

    /// Reports each mapping, in the order of the mappings.
    fn show_mappings(&mut self, records: &mut [SideRecord]) {
        records.sort_by_key(|record| record.moment);
        let mappings = records.iter().filter_map(|record| match &record.change {
            Change::Map(mapping) => Some(mapping_event(&mapping.file.name, mapping.start)),
            _ => None,
        });
        // llvm-profgen reads a recording twice unless it is one of a kernel, and reports each mapping each
        // time.
        let twice = self.options.policy.words == Words::LlvmProfgen && !self.groups[0].first().kernel;
        let found: Vec<_> = mappings.collect();
        let times = if twice { 2 } else { 1 };
        self.diagnostics.extend(std::iter::repeat_n(found, times).flatten());
    }

    /// Returns the events that count, or the error that says why no event can count.
    fn filter(&mut self, metadata: &Metadata, path: &Path) -> Result<Filter<'a>, Error> {
        let usable = usable_events(metadata, self.options).map_err(|error| error.path(path))?;
        let groups = self.groups;
        for target in groups.iter().flat_map(Targets::iter) {
            if let Err(error) = check_machine(metadata.arch.as_deref(), target) {
                self.fail(target.id, error.path(path))?;
            }
        }
        let mut call_chains = call_chains(metadata, self.options);
        let sides = if self.functions.is_some() {
            groups[0].sides()
        } else {
            BySide::default()
        };
        call_chains.iter_mut().for_each(|chains| *chains = chains.with(sides));
        if !metadata.attrs.is_empty() {
            let any = sides.map(|side, _| call_chains.iter().any(|chains| chains.0.of(side).is_some()));
            self.check_call_stacks(any, path)?;
        }
        Ok(Filter {
            options: self.options,
            rules: EntryRules::of(self.options.policy),
            usable,
            call_chains,
        })
    }

    /// Refuses to mix profiles with contexts and without.
    fn check_call_stacks(&mut self, has_call_stacks: BySide<bool>, path: &Path) -> Result<(), Error> {
        if self.options.ignore_stack_samples {
            let earlier = self.has_call_stacks.unwrap_or_default();
            self.has_call_stacks = Some(has_call_stacks.map(|side, has| has || *earlier.of(side)));
            return Ok(());
        }
        if has_call_stacks.each().contains(&&true) && self.options.fill_zero_for_all_funcs {
            return Err(no_zeros_with_contexts(&path.display().to_string(), "has"));
        }
        if *self.has_call_stacks.get_or_insert(has_call_stacks) != has_call_stacks {
            return Err(not_all_have_call_chains(format!(
                "some recordings have call chains and others have not; {} differs from the first one",
                path.display()
            )));
        }
        Ok(())
    }

    /// Notes why a target has no samples. It is an error if the job has no other target.
    fn fail(&mut self, id: BinaryId, error: Error) -> Result<(), Error> {
        if !self.options.has_several_binaries() {
            return Err(error);
        }
        self.samples_of(id).failure.get_or_insert(error);
        Ok(())
    }

    fn samples_of(&mut self, id: BinaryId) -> &mut TargetSamples {
        self.targets.entry(id).or_default()
    }

    fn finish(mut self, all: Vec<Collected>) -> Result<Samples, Error> {
        // All groups read the same samples.
        let statistics = &mut self.statistics;
        statistics.samples = all.iter().map(|group| group.samples).max().unwrap_or(0);
        statistics.branch_samples = all.iter().map(|group| group.branch_samples).max().unwrap_or(0);
        let branch_samples = statistics.branch_samples;
        // If no sample has a branch stack, only addresses were recorded.
        statistics.by_addresses = branch_samples == 0 && all.iter().any(|group| group.addresses.has_samples());
        if !statistics.by_addresses {
            let unused = self.inputs.iter().filter(|(_, addresses)| *addresses);
            let diagnostics: Vec<_> = unused.map(|(path, _)| without_stacks(path)).collect();
            self.diagnostics.extend(diagnostics);
        }
        let groups = self.groups;
        if self.options.policy.own_mappings {
            let samples = all.iter().map(|group| group.guest_samples).max().unwrap_or(0);
            let all = if self.statistics.by_addresses {
                self.statistics.samples
            } else {
                branch_samples
            };
            self.diagnostics.extend(guests(samples, all)?);
            for target in groups[0].iter() {
                if self.samples_of(target.id).mappings == 0 {
                    let error = self.statistics.missing(self.other_mappings.no_mapping_error(target));
                    self.fail(target.id, error)?;
                }
            }
        }
        for (targets, collected) in groups.iter().zip(all) {
            if self.statistics.by_addresses {
                let (addresses, sites) = (collected.addresses, collected.call_sites);
                let ledger = add_addresses(&mut self.targets, addresses, sites, targets.space());
                self.statistics.ledger += &ledger;
                for target in targets.iter() {
                    self.diagnostics.extend(self.other_mappings.diagnostics(target));
                }
                continue;
            }
            let (counters, ledger) = collected.traces.into_counters(targets.space());
            self.statistics.ledger += &ledger;
            let by_stacks = self.has_call_stacks.unwrap_or_default();
            if let Some(stacks) = collected.call_stacks.filter(|_| by_stacks != BySide::default()) {
                self.diagnostics.extend(call_stack_diagnostics(&stacks, self.options));
                for (id, counts) in stacks.into_contexts(targets, by_stacks).into_iter().flatten() {
                    self.samples_of(id).contexts = Some(Box::new(counts));
                }
            }
            if let Some(bolt) = collected.bolt {
                let (traces, ledger) = bolt.into_traces(targets.space());
                self.statistics.ledger += &ledger;
                for (id, traces) in traces {
                    self.samples_of(id).bolt = traces;
                }
            }
            for (id, counters) in counters {
                self.diagnostics.extend(self.other_mappings.diagnostics(&targets[id]));
                self.samples_of(id).counters = counters;
            }
        }
        Ok(Samples {
            targets: self.targets,
            statistics: self.statistics,
            diagnostics: self.diagnostics,
            mapped: self.mapped,
        })
    }

    fn account(&mut self, stats: &RecordStats, chunks: ChunkStats, path: &Path) -> Result<(), Error> {
        self.statistics.input_bytes += stats.bytes;
        self.statistics.lost_records += stats.lost();
        if let Some(damage) = stats.damage.as_ref().filter(|_| self.statistics.damage.is_none()) {
            self.statistics.damage = Some(format!("{}: {damage}", path.display()));
        }
        let found = trouble(stats, chunks, path);
        if let Some(first) = found.first().filter(|_| self.options.strict) {
            return Err(Error::new(ErrorCode::InputDamaged, first.message.clone())
                .path(path)
                .hint("Leave out {--strict} to use what can be read."));
        }
        self.diagnostics.extend(found);
        Ok(())
    }

    /// Notes the mappings of an input for the targets of a group.
    fn summarize(&mut self, group: usize, bound_spaces: &BoundSpaces) {
        let mut processes: ByBinary<FxHashSet<i32>> = ByBinary::new();
        for (id, mapping) in bound_spaces.spaces.mappings() {
            match &bound_spaces.bindings[group][id.0 as usize] {
                Binding::Target(id, _) => {
                    let own = self.groups[group][*id].image.build_id();
                    let recorded = bound_spaces.build_id_of(mapping);
                    let same = recorded.zip(own).is_some_and(|(recorded, own)| recorded.matches(own));
                    let samples = self.samples_of(*id);
                    samples.mappings += 1;
                    samples.same_build |= same;
                    processes.entry(*id).or_default().insert(mapping.pid);
                }
                Binding::OtherBuild(id) => {
                    let target = &self.groups[group][*id];
                    self.other_mappings
                        .add_other_build(target, &mapping.file.name, bound_spaces.build_id_of(mapping));
                }
                Binding::Other => self.other_mappings.add_file(mapping),
            }
        }
        for &(target, rival) in &bound_spaces.rivals {
            let [target, rival] = [target, rival].map(|id| self.groups[group][id].image.path().display());
            let message = format!(
                "{rival} has the name of {target}, and the recording has no build ids to tell them apart; {target} gets the samples"
            );
            let warning = Diagnostic::warning(DiagnosticCode::BinariesAlike, message);
            if !self.diagnostics.contains(&warning) {
                self.diagnostics.push(warning);
            }
        }
        for (id, processes) in processes {
            self.samples_of(id).processes += processes.len() as u64;
        }
    }
}

/// Returns the warning that sampled addresses and branch stacks count differently, and cannot be added up.
fn without_stacks(path: &Path) -> Diagnostic {
    let message = format!(
        "{} has no branch stacks, and others have: its samples are left out; make a profile of it alone, and merge the two",
        path.display()
    );
    Diagnostic::warning(DiagnosticCode::EventLeftOut, message)
}

fn poke_of(record: &SideRecord) -> Option<perfdata::TextPoke> {
    match &record.change {
        Change::Poke(poke) => Some(poke.clone()),
        _ => None,
    }
}
