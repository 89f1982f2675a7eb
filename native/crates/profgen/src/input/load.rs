//! Loads everything that profiles are made from: the code of the binaries, their debug information, the
//! samples.

use elf::{Code, ImageKind};
use job::failure::image_error;
use job::{Error, ErrorCode, Observer};
use rayon::prelude::*;
use symbolize::FunctionTable;

use crate::binaries::debug::{Debug, load_debug};
use crate::binaries::failures;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::live_text::KernelMemory;
use crate::binaries::open::Subject;
use crate::binaries::target::{Target, Targets};
use crate::input::events::may_have_call_stacks;
use crate::input::perf_data;
use crate::input::samples::Samples;
use crate::input::{script, traces};
use crate::request::options::{GenerateOptions, Input};

/// Everything that a profile is made from.
pub(crate) struct Loaded<'i> {
    /// The code of the binaries, in groups that are counted together.
    pub groups: Vec<Targets<'i>>,
    /// For each binary in no group, the reason.
    pub unusable: ByBinary<Error>,
    /// Debug information of the binaries that have samples.
    pub debug: ByBinary<Debug>,
    /// The samples; `None` if counters are given instead.
    pub samples: Option<Samples>,
}

/// The options and inputs of loading.
pub(crate) struct Loader<'a> {
    pub options: &'a GenerateOptions,
    /// The kernel's code as it ran, if a recording has it.
    pub memory: Option<&'a KernelMemory>,
    pub observer: &'a dyn Observer,
}

impl<'a> Loader<'a> {
    /// Returns the code of the binaries, in groups that are counted together: all in one group, or, as
    /// llvm-profgen does it, each in a group of its own. Also returns the reason for each binary in no group.
    fn targets<'i>(&self, subjects: &'i ByBinary<Subject>) -> Result<(Vec<Targets<'i>>, ByBinary<Error>), Error>
    where
        'a: 'i,
    {
        let policy = self.options.policy;
        let several = self.options.has_several_binaries();
        let open = |id: BinaryId, subject: &'i Subject| {
            let image = &subject.image;
            let code = match self.memory.and_then(|memory| memory.text_of(image)) {
                Some(live) => Code::with_live_text(image, policy.decoding, live),
                None => Code::new(image, policy.decoding),
            };
            let code = code.map_err(|error| image_error(error, image.path()))?;
            // llvm-profgen goes on, and writes an empty profile.
            if code.is_empty() && policy.empty_is_error {
                return Err(no_symbols(subject));
            }
            // --kernel is about a single binary. Of several binaries, each file tells whether it is a kernel.
            let kernel = self.options.kernel.filter(|_| !several);
            Ok(Target::new(
                id,
                image,
                code,
                kernel.unwrap_or(image.kind() == ImageKind::Kernel),
            ))
        };
        let opened: ByBinary<_> = subjects
            .par_iter()
            .map(|(id, subject)| (*id, open(*id, subject)))
            .collect();
        failures::stop_if_all_failed(opened.values().map(|target| target.as_ref().err()))?;
        let (mut targets, mut unusable) = (Vec::new(), ByBinary::new());
        for (id, target) in opened {
            match target {
                Ok(target) => targets.push(target),
                Err(error) => {
                    unusable.insert(id, error);
                }
            }
        }
        let groups = if policy.counted_together {
            vec![Targets::new(targets)?]
        } else {
            let each = targets.into_iter().map(|target| Targets::new([target]));
            each.collect::<Result<_, _>>()?
        };
        Ok((groups, unusable))
    }

    /// Lays out the code, and reads the debug information and the samples. If there are several binaries,
    /// only those with samples need debug information.
    pub(crate) fn load<'i>(&self, subjects: &'i ByBinary<Subject>) -> Result<Loaded<'i>, Error>
    where
        'a: 'i,
    {
        if self.options.for_bolt.is_some() {
            let (groups, unusable) = self.targets(subjects)?;
            let samples = self.sample(&groups, None)?.into_samples()?;
            return Ok(Loaded {
                groups,
                unusable,
                debug: ByBinary::new(),
                samples,
            });
        }
        let only = subjects.iter().next().filter(|_| subjects.len() == 1);
        let needs_functions = match &self.options.input {
            Input::PerfScript(_) => true,
            Input::PerfData(paths) => paths.iter().any(|path| may_have_call_stacks(path, self.options)),
            Input::Traces(_) | Input::UnsymbolizedProfile(_) | Input::SampleProfile(_) => false,
        };
        if let (Some((id, subject)), false) = (only, needs_functions) {
            let (debug, sampled) = rayon::join(
                || load_debug(&subject.image, self.options, self.observer),
                || {
                    let (groups, unusable) = self.targets(subjects)?;
                    let samples = self.sample(&groups, None)?;
                    Ok((groups, unusable, samples))
                },
            );
            let (groups, unusable, samples) = sampled?;
            let debug = ByBinary::from([(*id, debug)]);
            let samples = match samples {
                Sampled::NeedsFunctions => self.sample(&groups, Some(&debug))?.into_samples()?,
                Sampled::All(samples) => samples.map(|samples| *samples),
            };
            return Ok(Loaded {
                groups,
                unusable,
                debug,
                samples,
            });
        }
        let (groups, unusable) = self.targets(subjects)?;
        let targets: Vec<&Target<'_>> = groups.iter().flat_map(Targets::iter).collect();
        let load_debug = |is_needed: &(dyn Fn(BinaryId) -> bool + Sync)| -> ByBinary<Debug> {
            let needed = targets.par_iter().filter(|target| is_needed(target.id));
            needed
                .map(|target| (target.id, load_debug(target.image, self.options, self.observer)))
                .collect()
        };
        let sampled = if needs_functions {
            Sampled::NeedsFunctions
        } else {
            self.sample(&groups, None)?
        };
        let (debug, samples) = match sampled {
            Sampled::NeedsFunctions => {
                // The functions tell which call stacks are sure.
                let debug = load_debug(&|_| true);
                let samples = self.sample(&groups, Some(&debug))?.into_samples()?;
                (debug, samples)
            }
            Sampled::All(samples) => {
                let is_sampled = |id: BinaryId| {
                    let samples = samples.as_ref().and_then(|samples| samples.targets.get(&id));
                    samples.is_some_and(|samples| samples.counters.entries > 0)
                };
                (load_debug(&is_sampled), samples.map(|samples| *samples))
            }
        };
        Ok(Loaded {
            groups,
            unusable,
            debug,
            samples,
        })
    }

    /// Returns the samples of all inputs. Samples with call stacks need the debug information.
    fn sample(&self, groups: &[Targets<'_>], debug: Option<&ByBinary<Debug>>) -> Result<Sampled, Error> {
        let none = FunctionTable::default();
        let functions: Option<ByBinary<&FunctionTable>> = debug.map(|debug| {
            let each = debug.iter();
            each.map(|(id, debug)| (*id, debug.as_ref().map_or(&none, |(_, functions)| functions)))
                .collect()
        });
        let (options, observer) = (self.options, self.observer);
        let samples = match (&self.options.input, &functions) {
            (Input::PerfData(paths), functions) => {
                perf_data::read_all(paths, groups, functions.as_ref(), options, observer).map(Some)?
            }
            (Input::PerfScript(paths), Some(functions)) => {
                script::read_all(paths, groups, functions, options, observer).map(Some)?
            }
            // Options with which each binary is counted on its own are refused.
            (Input::Traces(paths), functions) => {
                let samples = traces::read_all(paths, &groups[0], functions.as_ref(), options, observer)?;
                return Ok(samples.map_or(Sampled::NeedsFunctions, |samples| Sampled::All(Some(Box::new(samples)))));
            }
            (Input::PerfScript(_) | Input::UnsymbolizedProfile(_) | Input::SampleProfile(_), _) => None,
        };
        Ok(Sampled::All(samples.map(Box::new)))
    }
}

/// The result of reading the samples.
enum Sampled {
    /// The samples; `None` if counters are given instead.
    All(Option<Box<Samples>>),
    /// The samples have call stacks, which cannot be read without the functions of the binaries.
    NeedsFunctions,
}

impl Sampled {
    /// Returns the samples of a job that has the functions, or that needs none.
    fn into_samples(self) -> Result<Option<Samples>, Error> {
        match self {
            Self::All(samples) => Ok(samples.map(|samples| *samples)),
            Self::NeedsFunctions => Err(Error::new(
                ErrorCode::Internal,
                "the functions of the binaries are not known",
            )),
        }
    }
}

/// Returns the error that nothing tells where the instructions of a binary start.
fn no_symbols(binary: &Subject) -> Error {
    let mut message = format!(
        "{} has no symbol table, so it is not known where its instructions start",
        binary.path().display()
    );
    for unused in &binary.unused_debug_files {
        message += &format!("; {unused}");
    }
    let hint = "Name the unstripped binary with {--binary}, name its debug file with {--debug-binary}, or install its debug package.";
    Error::new(ErrorCode::NoSymbols, message).path(binary.path()).hint(hint)
}
