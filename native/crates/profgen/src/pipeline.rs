//! Runs the stages of a job in their order. No other file knows this order.

use std::path::Path;
use std::time::Instant;

use elf::{Image, Svma};
use job::failure::{profile_error, unreadable};
use job::{Diagnostic, Error, ErrorCode, InputFiles, Observer, Phase, Progress, check, on_threads};
use rayon::prelude::*;
use sampleprof::Profile;

use crate::account::ledger::EntryClass;
use crate::account::statistics::Statistics;
use crate::attribution::code_sizes::CodeSizes;
use crate::attribution::context_profile::{context_profile, context_texts, sizes_for};
use crate::attribution::entry_points::EntryPoints;
use crate::attribution::profile::{Binary, profile};
use crate::binaries::debug::{Debug, profiles_by_probes};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::live_text::KernelMemory;
use crate::binaries::mapped::Mapped;
use crate::binaries::open::{self, Subject};
use crate::binaries::target::{Target, Targets};
use crate::counting::counters::Counters;
use crate::input::counters_text;
use crate::input::load::{Loaded, Loader};
use crate::input::open_binaries::open_binaries;
use crate::input::samples::TargetSamples;
use crate::input::traces::shard_files;
use crate::output::encode::{encode, has_counts};
use crate::output::{destination, fdata, merging, preaggregated};
use crate::report::counters::{check_counters, counters_of_samples, traces_of_samples};
use crate::report::empty;
use crate::report::outcome::Outcome;
use crate::report::part::{Part, Report, all_diagnostics, binary_outcome, stop_if_all_failed};
use crate::report::sample_survey::SampleSurvey;
use crate::report::unused_files::unused_files;
use crate::report::{debug_report, refusals};
use crate::request::options::{BoltFormat, GenerateOptions, Input};

/// Runs a whole job on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. On any error the output file is neither created nor replaced.
pub fn generate(options: &GenerateOptions, observer: &dyn Observer) -> Result<Outcome, Error> {
    let mut inputs = options.input_files();
    if let Input::Traces(paths) = &options.input {
        // The reader of the traces reports what cannot be found.
        let files = shard_files(paths).unwrap_or_default();
        files.iter().for_each(|file| inputs.add(file));
    }
    options.output.check(&inputs)?;
    let memory = KernelMemory::of(options);
    let job = Job {
        options,
        inputs,
        memory: memory.as_ref(),
        observer,
        statistics: Statistics::default(),
        diagnostics: Vec::new(),
        timings: Vec::new(),
    };
    on_threads(options.jobs, || job.run())
}

struct Job<'a> {
    options: &'a GenerateOptions,
    /// Files that no result may replace.
    inputs: InputFiles,
    memory: Option<&'a KernelMemory>,
    observer: &'a dyn Observer,
    statistics: Statistics,
    diagnostics: Vec<Diagnostic>,
    timings: Vec<(Phase, f64)>,
}

/// The product of a binary's counters.
enum Product {
    /// The profile, and the sizes of code if the pre-inliner is to run.
    Profile(Box<Profile>, Option<CodeSizes>),
    /// Counters, or traces for BOLT, as text.
    Text(Vec<u8>),
}

/// The result of the stage that symbolizes samples.
enum Symbolized {
    All(ByBinary<Part<Product>>),
    /// The recordings map further binaries, so the job must begin anew with them.
    MoreIsMapped(Mapped),
}

impl<'a> Job<'a> {
    fn run(mut self) -> Result<Outcome, Error> {
        let started = Instant::now();
        self.observer.progress(Progress::start(Phase::Open));
        let (mut subjects, mapped) = open_binaries(self.options, self.observer, &mut self.diagnostics)?;
        destination::check(&subjects, self.options, &mut self.inputs)?;
        if self.options.for_bolt.is_some() {
            self.diagnostics
                .extend(unused_files(self.options, &subjects, "a text for BOLT"));
        }
        let products = if let Input::SampleProfile(path) = &self.options.input {
            let read = |id: &BinaryId| {
                (
                    *id,
                    Part::begin(|report| self.finished_profile(path, &subjects, report)),
                )
            };
            subjects.keys().map(read).collect()
        } else {
            match self.symbolize(&subjects, &mapped, started)? {
                Symbolized::All(products) => products,
                Symbolized::MoreIsMapped(mapped) => {
                    self.diagnostics.clear();
                    subjects = open::open(self.options, &mapped, self.observer, &mut self.diagnostics)?;
                    destination::check(&subjects, self.options, &mut self.inputs)?;
                    match self.symbolize(&subjects, &mapped, started)? {
                        Symbolized::All(products) => products,
                        Symbolized::MoreIsMapped(_) => {
                            return Err(Error::new(
                                ErrorCode::Internal,
                                "the recording changed while it was read",
                            ));
                        }
                    }
                }
            }
        };
        check(self.observer)?;
        let encoded = self.encode(products, &subjects)?;
        check(self.observer)?;
        self.write(encoded, &subjects)
    }

    /// Reads a finished profile, which is only post-processed. The pre-inliner needs the binary, too.
    fn finished_profile(
        &self,
        path: &Path,
        subjects: &ByBinary<Subject>,
        report: &mut Report,
    ) -> Result<Product, Error> {
        let profile = read_profile(path)?;
        let wants_sizes = self.options.csspgo_preinliner && self.options.pre_inlining.use_context_cost;
        if !(profile.flags.context_sensitive && wants_sizes) {
            report.file_diagnostics = unused_files(self.options, subjects, "a finished profile");
            return Ok(Product::Profile(Box::new(profile), None));
        }
        let Loaded {
            groups,
            unusable,
            debug,
            ..
        } = self.loader().load(subjects)?;
        let Some(target) = groups.iter().flat_map(Targets::iter).next() else {
            let reason = unusable.into_values().next();
            return Err(reason.unwrap_or_else(|| Error::new(ErrorCode::Internal, "no binary")));
        };
        let mut report = Report::default();
        let binary = self.binary(target, debug.get(&target.id), &mut report)?;
        let sizes = sizes_for(&binary, &profile, self.options, self.observer)?;
        Ok(Product::Profile(Box::new(profile), Some(sizes)))
    }

    fn loader(&self) -> Loader<'a> {
        Loader {
            options: self.options,
            memory: self.memory,
            observer: self.observer,
        }
    }

    /// Makes profiles of samples or counters.
    fn symbolize(
        &mut self,
        subjects: &ByBinary<Subject>,
        mapped: &Mapped,
        started: Instant,
    ) -> Result<Symbolized, Error> {
        self.lap(Phase::Open, started);
        if self.options.for_bolt == Some(BoltFormat::Fdata) && !self.options.has_several_binaries() {
            subjects.values().try_for_each(|subject| fdata::check(&subject.image))?;
        }

        let started = Instant::now();
        let Loaded {
            groups,
            unusable,
            debug,
            mut samples,
        } = self.loader().load(subjects)?;
        if let Some(samples) = samples.as_mut().filter(|samples| samples.mapped != *mapped)
            && self.options.looks_for_binaries()
        {
            let mut diagnostics = Vec::new();
            let all = open::open(self.options, &samples.mapped, self.observer, &mut diagnostics)?;
            if !all.values().map(Subject::path).eq(subjects.values().map(Subject::path)) {
                return Ok(Symbolized::MoreIsMapped(std::mem::take(&mut samples.mapped)));
            }
            self.diagnostics = diagnostics;
        }
        let targets: Vec<&Target<'_>> = groups.iter().flat_map(Targets::iter).collect();
        let memory = self.memory;
        let unused = targets.iter().filter_map(|target| memory?.diagnostic(target));
        self.diagnostics.extend(unused);
        let mut sampled = samples.map(|samples| {
            self.diagnostics.extend(samples.diagnostics);
            self.statistics = samples.statistics;
            samples.targets
        });
        if let Some(format) = self.options.for_bolt {
            let mut parts = self.traces(format, &targets, sampled.unwrap_or_default());
            self.lap(Phase::Decode, started);
            stop_if_all_failed(&parts)?;
            refusals::check_loss(self.options, &self.statistics)?;
            parts.extend(without_samples(unusable));
            return Ok(Symbolized::All(parts));
        }
        let of_targets = targets.into_iter().map(|target| {
            let samples = sampled.as_mut().map(|all| all.remove(&target.id).unwrap_or_default());
            (target, debug.get(&target.id), samples)
        });
        let mut parts: ByBinary<_> = of_targets
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(target, debug, samples)| {
                let part = Part::begin(|report| self.count(target, debug, samples, report));
                (target.id, part)
            })
            .collect();
        self.account(&mut parts)?;
        self.lap(Phase::Decode, started);

        let started = Instant::now();
        let mut products: ByBinary<_> = parts
            .into_par_iter()
            .map(|(id, part)| {
                (
                    id,
                    part.then(|report, (binary, counters)| self.profile(&binary, counters, report)),
                )
            })
            .collect();
        self.lap(Phase::Symbolize, started);
        products.extend(without_samples(unusable));
        Ok(Symbolized::All(products))
    }

    /// Returns the traces of each binary for BOLT.
    fn traces(
        &self,
        format: BoltFormat,
        targets: &[&Target<'_>],
        mut sampled: ByBinary<TargetSamples>,
    ) -> ByBinary<Part<Product>> {
        let part = |target: &&Target<'_>| {
            let samples = sampled.remove(&target.id).unwrap_or_default();
            let part = Part::begin(|report| {
                if format == BoltFormat::Fdata {
                    fdata::check(target.image)?;
                }
                let traces = traces_of_samples(samples, target, self.options, report)?;
                if traces.is_empty() {
                    return Err(self.empty_profile(target.image, report));
                }
                let text = match format {
                    BoltFormat::PreAggregated => preaggregated::write(&traces),
                    BoltFormat::Fdata => fdata::write(&traces, target.image, &target.code),
                };
                Ok(Product::Text(text.into_bytes()))
            });
            (target.id, part)
        };
        targets.iter().map(part).collect()
    }

    /// Returns the counters of a binary, and adds the findings about both to the report. `samples` is `None`
    /// if counters are given instead.
    fn count<'t>(
        &self,
        target: &'t Target<'t>,
        debug: Option<&'t Debug>,
        mut samples: Option<TargetSamples>,
        report: &mut Report,
    ) -> Result<(Binary<'t>, Counters), Error> {
        if let Some(error) = samples.as_mut().and_then(|samples| samples.failure.take()) {
            return Err(error);
        }
        let binary = self.binary(target, debug, report)?;
        let counters = match (samples, &self.options.input) {
            (Some(samples), _) => counters_of_samples(samples, &binary, self.options, &self.statistics, report)?,
            (None, Input::UnsymbolizedProfile(path)) => {
                let text = read_text(path)?;
                let counters =
                    counters_text::read(&text, self.counter_base(target.image)).map_err(|error| error.path(path))?;
                check_counters(&counters, target, self.options, report);
                counters
            }
            (None, _) => return Err(Error::new(ErrorCode::Internal, "no samples and no counters")),
        };
        let is_exceeded = self.statistics.ledger.is_exceeded() || counters.exceed(binary.code.span());
        if is_exceeded && self.options.policy.refuses_implausible {
            return Err(refusals::counts_exceed(self.options));
        }
        if self.options.survey_samples {
            report.survey = Some(SampleSurvey::of(&binary, &counters));
        }
        Ok((binary, counters))
    }

    /// Returns a binary with its debug information, and adds the findings about them to the report.
    fn binary<'t>(
        &self,
        target: &'t Target<'t>,
        debug: Option<&'t Debug>,
        report: &mut Report,
    ) -> Result<Binary<'t>, Error> {
        let Some(debug) = debug else {
            return Err(self.empty_profile(target.image, report));
        };
        let (debug, functions) = debug.as_ref().map_err(Clone::clone)?;
        let binary = Binary {
            image: target.image,
            code: &target.code,
            debug,
            functions,
            entries: EntryPoints::new(target.image, functions),
        };
        report.file_diagnostics = debug_report::diagnostics(&binary, self.options);
        Ok(binary)
    }

    /// Completes the account with the runs that are lost. Returns an error if too much is lost.
    fn account(&mut self, parts: &mut ByBinary<Part<(Binary<'_>, Counters)>>) -> Result<(), Error> {
        let ledger = &mut self.statistics.ledger;
        for Part { report, .. } in parts.values() {
            let statistics = &report.statistics;
            ledger.reclassify(EntryClass::Used, EntryClass::CrossesBarrier, statistics.crosses_barrier);
            ledger.reclassify(EntryClass::Used, EntryClass::NoFunction, statistics.no_function);
        }
        let sampled = self.options.is_sampled() && self.options.policy.empty_is_error;
        for part in parts.values_mut() {
            if let (true, Ok((binary, counters))) = (sampled, &part.content)
                && counters.is_empty()
            {
                let error = debug_report::no_function_ran(binary, &part.report.statistics);
                part.content = Err(error.unwrap_or_else(|| self.empty_profile(binary.image, &part.report)));
            }
        }
        stop_if_all_failed(parts)?;
        refusals::check_loss(self.options, &self.statistics)
    }

    fn profile(&self, binary: &Binary<'_>, counters: Counters, report: &mut Report) -> Result<Product, Error> {
        if self.options.skip_symbolization {
            let base = self.counter_base(binary.image);
            let Some(contexts) = &counters.contexts else {
                return Ok(Product::Text(counters_text::write(&counters, base).into_bytes()));
            };
            let diagnostics = &mut report.sample_diagnostics;
            let texts = context_texts(binary, contexts, base, self.options, self.observer, diagnostics)?;
            return Ok(Product::Text(counters_text::write_contexts(texts, base)));
        }
        if self.options.policy.empty_is_error {
            debug_report::check_functions(binary, profiles_by_probes(binary.image, self.options))?;
        }
        let diagnostics = &mut report.sample_diagnostics;
        let (mut profile, sizes) = match &counters.contexts {
            Some(contexts) => context_profile(binary, contexts, self.options, self.observer, diagnostics)?,
            None => (
                profile(binary, counters, self.options, self.observer, diagnostics)?,
                None,
            ),
        };
        if self.options.policy.whole_coroutines {
            profile.fold_coroutine_parts();
        }
        if self.options.policy.empty_is_error
            && !has_counts(&profile)
            && let Some(error) = debug_report::no_function_ran(binary, &report.statistics)
        {
            return Err(error);
        }
        Ok(Product::Profile(Box::new(profile), sizes))
    }

    /// Returns the address that addresses in written counters are relative to.
    fn counter_base(&self, image: &Image) -> Svma {
        if self.options.use_first_loadable_segment_as_base {
            image.first_loadable_address(!self.options.policy.zero_is_a_base)
        } else if self.options.use_offset {
            image.preferred_base()
        } else {
            Svma(0)
        }
    }

    /// Returns the error that says why a profile would have no counts.
    fn empty_profile(&self, image: &Image, report: &Report) -> Error {
        empty::of_binary(image, self.options, &self.statistics, report)
    }

    /// Post-processes and encodes the profiles.
    fn encode(
        &mut self,
        products: ByBinary<Part<Product>>,
        subjects: &ByBinary<Subject>,
    ) -> Result<ByBinary<Part<Vec<u8>>>, Error> {
        let started = Instant::now();
        self.observer.progress(Progress::start(Phase::Write));
        let encoded: ByBinary<_> = products
            .into_par_iter()
            .map(|(id, part)| {
                let part = part.then(|report, product| match product {
                    Product::Profile(profile, sizes) => {
                        let image = &subjects[&id].image;
                        encode(*profile, sizes, image, self.options, &self.statistics, report)
                    }
                    Product::Text(text) => Ok(text),
                });
                (id, part)
            })
            .collect();
        stop_if_all_failed(&encoded)?;
        self.lap(Phase::Write, started);
        Ok(encoded)
    }

    fn write(mut self, parts: ByBinary<Part<Vec<u8>>>, subjects: &ByBinary<Subject>) -> Result<Outcome, Error> {
        let started = Instant::now();
        let several = self.options.has_several_binaries();
        let job_diagnostics = std::mem::take(&mut self.diagnostics);
        let diagnostics = all_diagnostics(&parts, subjects, job_diagnostics, several);
        let mut binaries: ByBinary<_> = parts
            .into_iter()
            .map(|(id, part)| (id, binary_outcome(part, &subjects[&id])))
            .collect();
        for (index, binary) in binaries.values().filter(|binary| binary.failure.is_none()).enumerate() {
            self.statistics.add(&binary.statistics, index == 0);
        }
        let single = if self.options.merge_binaries {
            Some(merging::merge(&mut binaries, self.options, &mut self.statistics)?)
        } else if several {
            None
        } else {
            binaries.values_mut().find_map(|binary| binary.bytes.take())
        };
        let size = single.as_ref().map_or_else(
            || binaries.values().map(|binary| binary.size).sum(),
            |bytes| bytes.len() as u64,
        );
        check(self.observer)?;
        let bytes = destination::write(single, &mut binaries, subjects, self.options, &self.inputs)?;
        self.lap(Phase::Write, started);
        Ok(Outcome {
            bytes,
            size,
            statistics: self.statistics,
            diagnostics,
            binaries: binaries.into_values().collect(),
            timings: self.timings,
        })
    }

    /// Adds the time since `started` to a phase.
    fn lap(&mut self, phase: Phase, started: Instant) {
        let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        match self.timings.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, sum)) => *sum += milliseconds,
            None => self.timings.push((phase, milliseconds)),
        }
    }
}

/// Returns the binaries that could not be laid out, each with its error.
fn without_samples(unusable: ByBinary<Error>) -> impl Iterator<Item = (BinaryId, Part<Product>)> {
    let part = |(id, error)| (id, Part::begin(|_| Err(error)));
    unusable.into_iter().map(part)
}

fn read_profile(path: &Path) -> Result<Profile, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(error, path))?;
    sampleprof::read(&bytes, &path.display().to_string()).map_err(profile_error)
}

fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(error, path))?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::new(
            ErrorCode::InputInvalid,
            format!(
                "{}: byte {offset} is not UTF-8, so the file is not text",
                path.display()
            ),
        )
        .path(path)
        .hint(counters_text::HOW_TO_WRITE)
    })
}
