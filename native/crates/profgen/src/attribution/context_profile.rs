//! Makes the profile of one binary from its counters by calling context, or prints these counters as text.

use elf::Svma;
use job::failure::{probe_error, symbolize_error};
use job::{Diagnostic, Error, ErrorCode, Observer, Phase, Progress, keep_going};
use pseudoprobe::Guid;
use sampleprof::Profile;
use symbolize::{FrameTable, FunctionId};

use crate::attribution::attribute_context_probes::attribute_context_probes;
use crate::attribution::attribute_contexts::attribute_contexts;
use crate::attribution::attribute_probes::ProbeSource;
use crate::attribution::call_contexts::{self, CallContexts, by_calls};
use crate::attribution::code_sizes::{CallSites, CodeSizes};
use crate::attribution::context_report::{behind_calls_without_lines, context_diagnostics};
use crate::attribution::damage;
use crate::attribution::frame_pointers::without_frame_pointers;
use crate::attribution::line_contexts::LineContexts;
use crate::attribution::missing_frames::MissingFrames;
use crate::attribution::probes::{Probes, sampled_functions};
use crate::attribution::profile::{Binary, add_symbol_list, line_source, places_of_interest};
use crate::attribution::recursion::Shortening;
use crate::binaries::debug::profiles_by_probes;
use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::{Counted, Counter};
use crate::counting::counters::{ContextCounters, CounterTable, Counters};
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// Returns the context-sensitive profile, and the sizes of code if the pre-inliner is to run.
pub(crate) fn context_profile(
    binary: &Binary<'_>,
    contexts: &ContextCounters,
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(Profile, Option<CodeSizes>), Error> {
    observer.progress(Progress::start(Phase::Symbolize));
    let job = Job {
        binary,
        options,
        observer,
    };
    let (mut profile, sizes) = if profiles_by_probes(binary.image, options) {
        let calls = job.calls(contexts, diagnostics)?;
        job.by_probes(&calls)?
    } else {
        let frames = job.frames(contexts, diagnostics)?;
        let lines = job.lines(contexts, &frames, diagnostics)?;
        job.by_lines(lines, &frames)?
    };
    profile.flags.fs_discriminators = binary.image.has_fs_discriminators();
    add_symbol_list(&mut profile, binary.functions, options);
    Ok((profile, sizes))
}

/// Returns each context as text, with its counts. Addresses in contexts are relative to `base`.
pub(crate) fn context_texts(
    binary: &Binary<'_>,
    contexts: &ContextCounters,
    base: Svma,
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<(Vec<u8>, Counted)>, Error> {
    let job = Job {
        binary,
        options,
        observer,
    };
    if profiles_by_probes(binary.image, options) {
        let calls = job.calls(contexts, diagnostics)?;
        return Ok(call_contexts::texts(calls, base));
    }
    let frames = job.frames(contexts, diagnostics)?;
    Ok(job.lines(contexts, &frames, diagnostics)?.texts())
}

/// Returns the sizes of all functions that a finished profile names.
pub(crate) fn sizes_for(
    binary: &Binary<'_>,
    profile: &Profile,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<CodeSizes, Error> {
    let job = Job {
        binary,
        options,
        observer,
    };
    let guids: rustc_hash::FxHashSet<u64> = profile.names.iter().map(|(_, name)| name.guid()).collect();
    let is_named = |function: &FunctionId| {
        let name = binary.functions.name(*function);
        guids.contains(&sampleprof::Name::Text(name).guid())
    };
    let functions: Vec<FunctionId> = binary.functions.functions().filter(is_named).collect();
    let mut rows = Vec::new();
    for &function in &functions {
        rows.extend(
            binary
                .functions
                .ranges_of(function)
                .iter()
                .map(|&(first, second)| Counter {
                    first,
                    second,
                    count: 0,
                }),
        );
    }
    let probes = if profiles_by_probes(binary.image, options) {
        Some(job.probes(&Counters {
            ranges: CounterTable::new(rows),
            ..Counters::default()
        })?)
    } else {
        None
    };
    job.sizes(&functions, probes.as_ref())
}

struct Job<'a> {
    binary: &'a Binary<'a>,
    options: &'a GenerateOptions,
    observer: &'a dyn Observer,
}

impl<'a> Job<'a> {
    /// Returns how lists of functions are shortened.
    fn shortening(&self) -> Shortening {
        let limit = self.options.compress_recursion;
        Shortening {
            longest_repetition: limit.map_or(usize::MAX, |length| length as usize),
            most_calls: self.options.csprof_max_context_depth.map(|depth| depth as usize),
        }
    }

    fn calls(&self, contexts: &ContextCounters, diagnostics: &mut Vec<Diagnostic>) -> Result<CallContexts, Error> {
        let shortening = self.shortening();
        let of_calls = self.options.csprof_max_unsymbolized_context_depth;
        let most_calls = [shortening.most_calls, of_calls.map(|depth| depth as usize)];
        let shortening = Shortening {
            most_calls: most_calls.into_iter().flatten().min(),
            ..shortening
        };
        match contexts {
            ContextCounters::Sampled(counts) => {
                let calls = by_calls(counts, shortening);
                diagnostics.extend(self.doubts(counts, calls.len()));
                Ok(calls)
            }
            ContextCounters::Read(groups) => {
                call_contexts::read(groups).ok_or_else(|| wrong_contexts("names, and the binary has pseudo probes"))
            }
        }
    }

    /// Returns diagnostics about doubtful counts. `contexts` is the number of contexts that were made of
    /// these counts.
    fn doubts(&self, counts: &ContextCounts, contexts: usize) -> Vec<Diagnostic> {
        let mut doubts = context_diagnostics(counts, contexts, self.options);
        if self.options.policy.words == Words::Own {
            let Binary {
                image, code, functions, ..
            } = self.binary;
            doubts.extend(without_frame_pointers(image, code, functions, counts));
        }
        doubts
    }

    /// Returns the lines of all code that was counted, and of all calls.
    fn frames(&self, contexts: &ContextCounters, diagnostics: &mut Vec<Diagnostic>) -> Result<FrameTable, Error> {
        let counter = |first, second, count| Counter { first, second, count };
        let (mut ranges, mut branches) = (Vec::new(), Vec::new());
        match contexts {
            ContextCounters::Sampled(counts) => {
                let of_runs = counts.ranges.iter();
                ranges.extend(of_runs.map(|run| counter(run.first, run.second, run.count)));
                branches.extend(
                    counts
                        .branches
                        .iter()
                        .map(|branch| counter(branch.first, branch.second, 0)),
                );
                branches.extend(counts.paths.all_calls().map(|call| counter(call, call, 0)));
            }
            ContextCounters::Read(groups) => {
                for group in groups {
                    ranges.extend_from_slice(&group.counted.ranges);
                    branches.extend_from_slice(&group.counted.branches);
                }
            }
        }
        let (ranges, branches) = (CounterTable::new(ranges), CounterTable::new(branches));
        let frames = self.frames_of(&places_of_interest(ranges.rows(), branches.rows()))?;
        let debug = (self.binary.debug, self.binary.functions, frames.faults());
        let mut samples = ranges.rows().iter().map(|range| (range.first, range.count));
        damage::check(self.binary.image, debug, &mut samples, self.options, diagnostics)?;
        Ok(frames)
    }

    fn frames_of(&self, places: &[(Svma, Svma)]) -> Result<FrameTable, Error> {
        FrameTable::build(self.binary.debug, places, &keep_going(self.observer)).map_err(symbolize_error)
    }

    fn lines(
        &self,
        contexts: &ContextCounters,
        frames: &FrameTable,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<LineContexts, Error> {
        match contexts {
            ContextCounters::Sampled(counts) => {
                let source = line_source(self.binary, frames, self.options);
                let lines = LineContexts::of(&source, counts, self.shortening());
                diagnostics.extend(self.doubts(counts, lines.counted.len()));
                if self.options.policy.words == Words::Own {
                    diagnostics.extend(behind_calls_without_lines(self.binary.image, &lines.without_lines)?);
                }
                Ok(lines)
            }
            ContextCounters::Read(groups) => LineContexts::read(groups)
                .ok_or_else(|| wrong_contexts("addresses, and the binary has no pseudo probes")),
        }
    }

    fn by_lines(&self, lines: LineContexts, frames: &FrameTable) -> Result<(Profile, Option<CodeSizes>), Error> {
        self.observer.progress(Progress::start(Phase::Attribute));
        let functions = sampled_functions(self.binary.functions, &all_of(lines.counted.values(), []));
        let mut profile = attribute_contexts(&line_source(self.binary, frames, self.options), lines);
        if self.options.update_total_samples {
            profile.update_total_samples();
        }
        profile.raise_callsites();
        let sizes = self.wants_sizes().then(|| self.sizes(&functions, None)).transpose()?;
        Ok((profile, sizes))
    }

    fn by_probes(&self, contexts: &CallContexts) -> Result<(Profile, Option<CodeSizes>), Error> {
        let calls = contexts.iter().flat_map(|(calls, _)| calls.iter().copied());
        let counters = all_of(contexts.iter().map(|(_, counted)| counted), calls);
        let probes = self.probes(&counters)?;
        self.observer.progress(Progress::start(Phase::Attribute));
        let Binary {
            code,
            functions,
            entries,
            ..
        } = self.binary;
        let source = ProbeSource {
            code,
            probes: &probes,
            entries,
            functions,
        };
        let missing = self.options.infer_missing_frames.then(|| {
            let branches = contexts.iter().flat_map(|(_, counted)| &counted.branches);
            let branches = branches.map(|branch| (branch.first, branch.second));
            MissingFrames::new(code, functions, branches, self.options.max_search_depth)
        });
        let profile = attribute_context_probes(&source, contexts, self.shortening(), missing);
        let sampled = sampled_functions(functions, &counters);
        let sizes = self
            .wants_sizes()
            .then(|| self.sizes(&sampled, Some(&probes)))
            .transpose()?;
        Ok((profile, sizes))
    }

    fn probes(&self, counters: &Counters) -> Result<Probes<'a>, Error> {
        let Binary {
            image,
            functions,
            entries,
            ..
        } = self.binary;
        Probes::read(image, functions, entries, counters, self.options)
            .map_err(|error| probe_error(error, image.path()))
    }

    fn wants_sizes(&self) -> bool {
        self.options.csspgo_preinliner && self.options.pre_inlining.use_context_cost
    }

    /// Returns the sizes of these functions, and of the functions inlined into them.
    fn sizes(&self, functions: &[FunctionId], probes: Option<&Probes<'_>>) -> Result<CodeSizes, Error> {
        let ranges = functions
            .iter()
            .flat_map(|&function| self.binary.functions.ranges_of(function));
        let ranges: Vec<(Svma, Svma)> = ranges.copied().collect();
        let rows = ranges.iter().map(|&(first, end)| Counter {
            first,
            second: Svma(end.0.saturating_sub(1)),
            count: 0,
        });
        let frames = self.frames_of(&places_of_interest(&rows.collect::<Vec<_>>(), &[]))?;
        let sites = if probes.is_some() {
            CallSites::Probes
        } else {
            CallSites::Lines
        };
        let mut sizes = CodeSizes::new();
        sizes.add_code(self.binary.code, &frames, &ranges, sites);
        if let Some(probes) = probes {
            let names = functions.iter().map(|&function| self.binary.functions.name(function));
            sizes.add_probes(&probes.table, &names.map(Guid::of).collect());
        }
        Ok(sizes)
    }
}

/// Returns the counts of all contexts together. A call counts as a branch to itself.
fn all_of<'c>(counted: impl Iterator<Item = &'c Counted>, calls: impl IntoIterator<Item = Svma>) -> Counters {
    let mut all = Counted::default();
    counted.for_each(|counted| all.add(counted));
    all.branches.extend(calls.into_iter().map(|call| Counter {
        first: call,
        second: call,
        count: 0,
    }));
    Counters {
        ranges: CounterTable::new(all.ranges),
        branches: CounterTable::new(all.branches),
        contexts: None,
    }
}

fn wrong_contexts(what: &str) -> Error {
    Error::new(
        ErrorCode::InputInvalid,
        format!("the contexts of these counters are {what}"),
    )
    .hint("Give the counters with the binary and the options that they were written with.")
}
