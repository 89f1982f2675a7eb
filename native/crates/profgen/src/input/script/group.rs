//! The state of targets that are counted together, while a text is read.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use job::Error;
use perfdata::{CpuMode, Mapping};
use perfscript::{Dialect, SampleKind};
use rustc_hash::FxHashSet;
use symbolize::FunctionTable;

use super::space::Space;
use super::worker::{BlockReport, Epoch, Job, Worker};
use crate::addresses::binding::Binding;
use crate::binaries::id::ByBinary;
use crate::binaries::target::Targets;
use crate::counting::stack::EntryRules;
use crate::input::other_mappings::OtherMappings;
use crate::input::samples::TargetSamples;
use crate::request::options::GenerateOptions;

/// Returns the dialect of the text: what may stand before branch entries.
pub(super) fn dialect(options: &GenerateOptions) -> Dialect {
    let as_llvm_19 = options.leading_ip_only || options.sample_period.is_some() || !options.select.events.is_empty();
    if options.policy.any_text {
        Dialect::Anything
    } else if as_llvm_19 {
        Dialect::EventAndAddress
    } else {
        Dialect::Address
    }
}

/// Targets that are counted together.
pub(super) struct Group<'a> {
    pub(super) job: Job<'a>,
    space: Space<'a>,
    /// Number of the current address space.
    epoch: u64,
    /// Lowest address of code of programs that the text has mapped; 0 if the text has mapped none.
    floor: u64,
    /// Workers. A thread takes one to read a block, and puts it back afterwards.
    pub(super) workers: Mutex<Vec<Worker<'a>>>,
    pub(super) samples: ByBinary<TargetSamples>,
    processes: ByBinary<FxHashSet<i32>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        targets: &'a Targets<'a>,
        functions: &'a ByBinary<&'a FunctionTable>,
        options: &'a GenerateOptions,
    ) -> Self {
        Self {
            job: Job {
                options,
                targets,
                functions,
                kind: SampleKind::Branches,
                dialect: dialect(options),
                rules: EntryRules::of(options.policy),
            },
            space: Space::new(targets, options.policy),
            epoch: 0,
            floor: 0,
            workers: Mutex::default(),
            samples: ByBinary::new(),
            processes: ByBinary::new(),
        }
    }

    /// Begins another text.
    pub(super) fn begin(&mut self, kind: SampleKind) {
        self.job.kind = kind;
        self.space = Space::new(self.job.targets, self.job.options.policy);
        self.epoch += 1;
        self.floor = 0;
        let workers = self.workers.get_mut().unwrap_or_else(PoisonError::into_inner);
        workers.iter_mut().for_each(|worker| worker.begin(kind));
        self.end_processes();
    }

    pub(super) fn end_processes(&mut self) {
        for (id, processes) in std::mem::take(&mut self.processes) {
            self.samples.entry(id).or_default().processes += processes.len() as u64;
        }
    }

    /// Returns the address space from an offset of a window on.
    pub(super) fn epoch_from(&self, from: usize) -> Epoch<'a> {
        Epoch {
            from,
            number: self.epoch,
            view: self.space.view(),
            is_mapped: self.space.is_mapped(),
            floor: self.floor,
        }
    }

    /// Follows a mapping whose line ends at `end`.
    pub(super) fn follow(
        &mut self,
        mapping: &Mapping,
        end: usize,
        other_mappings: &mut OtherMappings,
        epochs: &mut Vec<Epoch<'a>>,
    ) -> Result<(), Error> {
        let (was_mapped, floor) = (self.space.is_mapped(), self.floor);
        if mapping.executable && mapping.cpumode == CpuMode::User && (floor == 0 || mapping.start.0 < floor) {
            self.floor = mapping.start.0;
        }
        let (binding, changed) = self.space.follow(mapping, self.job.options)?;
        match binding {
            Binding::Target(id, _) => {
                self.samples.entry(id).or_default().mappings += 1;
                self.processes.entry(id).or_default().insert(mapping.pid);
            }
            Binding::OtherBuild(id) => {
                let name = &mapping.file.name;
                other_mappings.add_other_build(&self.job.targets[id], name, mapping.file.build_id);
            }
            Binding::Other => other_mappings.add_file(mapping),
        }
        if changed {
            self.epoch += 1;
        }
        if changed || was_mapped != self.space.is_mapped() || floor != self.floor {
            epochs.push(self.epoch_from(end));
        }
        Ok(())
    }

    pub(super) fn read_block(&self, text: &[u8], block: Range<usize>, epochs: &[Epoch<'a>]) -> BlockReport {
        let workers = || self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = workers().pop();
        let mut worker = idle.unwrap_or_else(|| Worker::new(self.job));
        let report = worker.read(&text[block.clone()], block.start, epochs);
        workers().push(worker);
        report
    }
}
