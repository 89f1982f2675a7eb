//! The order of the stages; no other file knows it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use image::{Code, DecodePolicy, Image, ImageKind};
use sampleprof::{Profile, SymbolListEncoding, WriteOptions};
use symbolize::{DebugInfo, DebugOptions, FollowLinks, FunctionTable};

use crate::counters::{CounterTable, Counters};
use crate::entry_points::EntryPoints;
use crate::error::{Error, ErrorCode};
use crate::explain;
use crate::failure::{image_error, read_error, symbolize_error, write_error};
use crate::fall_through::select_runs;
use crate::ledger::EntryClass;
use crate::observer::{Observer, Phase, check, keep_going};
use crate::options::{Compat, Format, GenerateOptions, Input, Output};
use crate::outcome::{Diagnostic, Outcome, Statistics};
use crate::output::write_atomically;
use crate::postprocess::postprocess;
use crate::profile::{Binary, profile};
use crate::sampling::{self, Samples};
use crate::target::Target;
use crate::{counters_text, debug_report};

/// Runs a whole job on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. On any error the output file is neither created nor replaced.
pub fn generate(options: &GenerateOptions, observer: &dyn Observer) -> Result<Outcome, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .thread_name(|index| format!("autofdo-{index}"))
        .build()
        .map_err(|error| Error::new(ErrorCode::Internal, format!("cannot start threads: {error}")))?;
    let job = Job {
        options,
        observer,
        statistics: Statistics::default(),
        diagnostics: Vec::new(),
        timings: Vec::new(),
    };
    pool.install(|| job.run())
}

struct Job<'a> {
    options: &'a GenerateOptions,
    observer: &'a dyn Observer,
    statistics: Statistics,
    diagnostics: Vec<Diagnostic>,
    timings: Vec<(Phase, f64)>,
}

impl Job<'_> {
    fn run(mut self) -> Result<Outcome, Error> {
        let started = Instant::now();
        let image = Arc::new(self.open_image()?);
        let result = if let Input::SampleProfile(path) = &self.options.input {
            let bytes = std::fs::read(path).map_err(|error| read_error(&error, path))?;
            let profile = sampleprof::read(&bytes, &path.display().to_string())
                .map_err(|error| Error::new(ErrorCode::InputInvalid, error.to_string()).path(path))?;
            self.finish(profile)?
        } else {
            self.symbolize(&image, started)?
        };
        check(self.observer)?;
        self.write(result)
    }

    fn open_image(&mut self) -> Result<Image, Error> {
        let [binary] = self.options.binaries.as_slice() else {
            return Err(Error::new(ErrorCode::Unsupported, "one binary is profiled at a time")
                .hint("Run once for each binary."));
        };
        Image::open(binary).map_err(|error| image_error(error, binary))
    }

    /// Counters to the encoded result.
    fn symbolize(&mut self, image: &Arc<Image>, started: Instant) -> Result<Vec<u8>, Error> {
        let policy = match self.options.compat {
            Compat::None => DecodePolicy::Full,
            Compat::LlvmProfgen => DecodePolicy::LlvmProfgen,
        };
        let code = Code::new(image, policy).map_err(|error| image_error(error, image.path()))?;
        if code.is_empty() {
            return Err(Error::new(
                ErrorCode::NoSymbols,
                format!(
                    "{} has no symbol table, so it is not known where its instructions start",
                    image.path().display()
                ),
            )
            .path(image.path())
            .hint("Name the unstripped binary with --binary; strip only copies of it."));
        }
        let kernel = self.options.kernel.unwrap_or(image.kind() == ImageKind::Kernel);
        let target = Target { image, code, kernel };
        self.lap(Phase::Open, started);

        let started = Instant::now();
        let (debug, samples) = rayon::join(|| self.load_debug(image), || self.sample(&target));
        let (debug, functions) = debug?;
        let samples = samples?;
        let entries = EntryPoints::new(image, &functions);
        self.diagnostics.extend(debug_report::diagnostics(
            &target,
            &debug,
            &functions,
            &entries,
            self.options,
        ));
        let counters = self.counters(samples, &target, &functions)?;
        self.lap(Phase::Decode, started);
        if self.options.skip_symbolization {
            let base = self.counter_base(image);
            return Ok(counters_text::write(&counters, base).into_bytes());
        }
        if functions.is_empty() && self.options.compat == Compat::None {
            return Err(debug_report::no_debug_info(image));
        }

        let started = Instant::now();
        let binary = Binary {
            image,
            code: &target.code,
            debug: &debug,
            functions: &functions,
            entries: &entries,
        };
        let profile = profile(&binary, &counters, self.options, self.observer)?;
        self.lap(Phase::Symbolize, started);
        self.finish(profile)
    }

    fn load_debug(&self, image: &Arc<Image>) -> Result<(DebugInfo, FunctionTable), Error> {
        let compat = self.options.compat == Compat::LlvmProfgen;
        let options = DebugOptions {
            debug_binary: self.options.debug_binary.clone(),
            dwp: self.options.dwp.clone(),
            function_table_follows_links: !compat,
            follow_links: if compat { FollowLinks::LLVM } else { FollowLinks::ALL },
            ..DebugOptions::default()
        };
        let bytes = Arc::new(SharedBytes(Arc::clone(image)));
        let debug = DebugInfo::load(bytes, image.path(), image.build_id(), &options).map_err(symbolize_error)?;
        let functions = FunctionTable::build(&debug, image.preferred_base(), &keep_going(self.observer))
            .map_err(symbolize_error)?;
        Ok((debug, functions))
    }

    /// The samples of all inputs; `None` when counters are given instead.
    fn sample(&self, target: &Target<'_>) -> Result<Option<Samples>, Error> {
        let Input::PerfData(paths) = &self.options.input else {
            return Ok(None);
        };
        sampling::read_all(paths, target, self.options, self.observer).map(Some)
    }

    /// What addresses in written counters are relative to.
    fn counter_base(&self, image: &Image) -> image::Svma {
        if self.options.use_first_loadable_segment_as_base {
            image.first_loadable_address()
        } else if self.options.use_offset {
            image.preferred_base()
        } else {
            image::Svma(0)
        }
    }

    fn counters(
        &mut self,
        samples: Option<Samples>,
        target: &Target<'_>,
        functions: &FunctionTable,
    ) -> Result<Counters, Error> {
        match (samples, &self.options.input) {
            (Some(samples), _) => self.select(samples, target, functions),
            (None, Input::UnsymbolizedProfile(path)) => {
                let text = read_text(path)?;
                counters_text::read(&text, self.counter_base(target.image)).map_err(|error| error.path(path))
            }
            (None, _) => Err(Error::new(ErrorCode::Internal, "no samples and no counters")),
        }
    }

    /// Traces to counters, and the account of the runs that are lost.
    fn select(&mut self, samples: Samples, target: &Target<'_>, functions: &FunctionTable) -> Result<Counters, Error> {
        self.diagnostics.extend(samples.diagnostics);
        self.statistics = samples.statistics;
        let (branches, pairs, mut ledger) = samples.traces.into_counters(target.code.base());
        let (ranges, quality) = select_runs(&pairs, &target.code, functions);
        ledger.reclassify(EntryClass::Used, EntryClass::CrossesBarrier, quality.dropped);
        if !functions.is_empty() {
            ledger.reclassify(EntryClass::Used, EntryClass::NoFunction, quality.homeless);
        }
        let statistics = &mut self.statistics;
        statistics.ledger = ledger;
        statistics.ranges = ranges.rows().len() as u64;
        statistics.branches = branches.rows().len() as u64;
        if self.options.compat == Compat::None && is_empty(&ranges) && is_empty(&branches) {
            return Err(explain::empty_profile(&statistics.ledger, statistics.samples));
        }
        self.diagnostics.extend(quality.diagnostics());
        self.check_loss()?;
        Ok(Counters { ranges, branches })
    }

    fn check_loss(&self) -> Result<(), Error> {
        let Some(allowed) = self.options.max_loss else {
            return Ok(());
        };
        let lost = self.statistics.ledger.loss_percent();
        if lost <= allowed {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::LossExceeded,
            format!(
                "{lost:.2} % of the branch entries are lost, {allowed} % are allowed: {}",
                self.statistics.ledger.summary()
            ),
        )
        .hint("Look at the classes above, or raise --max-loss."))
    }

    /// Post-processing and encoding.
    fn finish(&mut self, mut profile: Profile) -> Result<Vec<u8>, Error> {
        let started = Instant::now();
        postprocess(&mut profile, self.options, &mut self.statistics, &mut self.diagnostics);
        if self.options.compat == Compat::None
            && profile
                .functions
                .iter()
                .all(|function| function.total == 0 && function.head == 0)
        {
            return Err(explain::empty_profile(&self.statistics.ledger, self.statistics.samples));
        }
        let format = match self.options.format {
            Format::ExtBinary => sampleprof::Format::ExtBinary,
            Format::Binary => sampleprof::Format::Binary,
            Format::Text => sampleprof::Format::Text,
        };
        if self.options.use_md5 && format != sampleprof::Format::ExtBinary {
            self.diagnostics.push(Diagnostic::warning(
                "md5-ignored",
                "-use-md5 is ignored. Specify --format=extbinary to enable it",
            ));
        }
        let options = WriteOptions {
            format,
            use_md5: self.options.use_md5,
            symbol_list: SymbolListEncoding::Plain,
            ..WriteOptions::default()
        };
        let bytes = sampleprof::write(&profile, &options).map_err(write_error)?;
        self.lap(Phase::Write, started);
        Ok(bytes)
    }

    fn write(mut self, bytes: Vec<u8>) -> Result<Outcome, Error> {
        let started = Instant::now();
        let size = bytes.len() as u64;
        let bytes = match &self.options.output {
            Output::File(path) => {
                write_atomically(path, &bytes)?;
                None
            }
            Output::Memory => Some(bytes),
        };
        self.lap(Phase::Write, started);
        let Self {
            statistics,
            diagnostics,
            timings,
            ..
        } = self;
        Ok(Outcome {
            bytes,
            size,
            statistics,
            diagnostics,
            timings,
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

/// The image's bytes, for whoever reads its debug information.
struct SharedBytes(Arc<Image>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}

fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|error| read_error(&error, path))?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::new(
            ErrorCode::InputInvalid,
            format!("not a text file: byte {offset} is no UTF-8"),
        )
        .path(path)
    })
}

fn is_empty(table: &CounterTable) -> bool {
    table.rows().is_empty()
}
