//! perf.data inputs to counted traces, one input after the other.

use std::path::{Path, PathBuf};

use perfdata::{AddressSpaces, BuildId, ChunkStats, Mapping, Metadata, PerfData, RecordStats, Segment, SideRecord};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::binding::{Binding, KERNEL_MAP, bind};
use crate::collect::{Collected, Filter, collect};
use crate::compat::GlobalBase;
use crate::error::{Error, ErrorCode};
use crate::explain;
use crate::failure::input_error;
use crate::locate::Resolver;
use crate::observer::{Observer, Phase, Progress};
use crate::options::{Compat, GenerateOptions};
use crate::outcome::{Diagnostic, Statistics};
use crate::target::Target;
use crate::trace::TraceTable;

/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// What the inputs came to.
pub(crate) struct Samples {
    pub traces: TraceTable,
    pub statistics: Statistics,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads all inputs. Their order does not matter: each has address spaces of its own, and counts add up.
pub(crate) fn read_all(
    paths: &[PathBuf],
    target: &Target<'_>,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Samples, Error> {
    let mut sampling = Sampling {
        options,
        target,
        observer,
        statistics: Statistics::default(),
        diagnostics: Vec::new(),
        seen: explain::Seen::default(),
    };
    let mut all = Collected::default();
    for path in paths {
        all.merge(sampling.read(path)?);
    }
    let Sampling {
        mut statistics,
        mut diagnostics,
        seen,
        ..
    } = sampling;
    if options.compat == Compat::None {
        diagnostics.extend(explain::guests(all.guest_samples, all.branch_samples)?);
        if statistics.mappings == 0 {
            return Err(seen.no_mapping(target));
        }
    }
    statistics.samples = all.samples;
    statistics.branch_samples = all.branch_samples;
    diagnostics.extend(seen.diagnostics(target));
    Ok(Samples {
        traces: all.traces,
        statistics,
        diagnostics,
    })
}

struct Sampling<'a> {
    options: &'a GenerateOptions,
    target: &'a Target<'a>,
    observer: &'a dyn Observer,
    statistics: Statistics,
    diagnostics: Vec<Diagnostic>,
    /// What was mapped in any input, to explain a job without samples.
    seen: explain::Seen,
}

impl Sampling<'_> {
    /// The traces of one input.
    fn read(&mut self, path: &Path) -> Result<Collected, Error> {
        self.observer.progress(Progress {
            phase: Phase::Scan,
            done: 0,
            total: 0,
        });
        let mut input = open(path)?;
        input.set_cancel(self.observer.cancel_flag());
        let mut collected = Collected::default();
        let mut followed = Followed::default();
        let mut stats = RecordStats::default();
        while let Some(segment) = input.next_segment().map_err(input_error)? {
            let filter = self.filter(input.metadata(), path)?;
            followed.extend(&segment, input.metadata(), self.target, self.options);
            let global_base = followed.global_base(self.target, self.options)?;
            let resolver = Resolver {
                target: self.target,
                spaces: &followed.spaces,
                bindings: &followed.bindings,
                global_base: global_base.as_ref(),
            };
            collected.merge(collect(&segment, &resolver, &filter, self.observer)?);
            stats.add(segment.stats());
        }
        // A recording without records has not been asked yet.
        self.filter(input.metadata(), path)?;
        self.account(&stats, collected.chunks, path)?;
        self.summarize(&followed);
        Ok(collected)
    }

    /// Which events count, or why none can.
    fn filter(&self, metadata: &Metadata, path: &Path) -> Result<Filter<'_>, Error> {
        let wanted = &self.options.select.events;
        let events = explain::usable_events(metadata, wanted).map_err(|error| error.path(path))?;
        explain::check_machine(metadata, self.target).map_err(|error| error.path(path))?;
        Ok(Filter {
            select: &self.options.select,
            events,
            compat: self.options.compat,
        })
    }

    fn account(&mut self, stats: &RecordStats, chunks: ChunkStats, path: &Path) -> Result<(), Error> {
        self.statistics.input_bytes += stats.bytes;
        self.statistics.lost_records += stats.lost_records.saturating_add(stats.lost_samples);
        let trouble = explain::trouble(stats, chunks, path);
        if let Some(first) = trouble.first().filter(|_| self.options.strict) {
            return Err(Error::new(ErrorCode::InputDamaged, first.message.clone())
                .path(path)
                .hint("Leave out --strict to use what can be read."));
        }
        self.diagnostics.extend(trouble);
        Ok(())
    }

    fn summarize(&mut self, followed: &Followed) {
        let mut processes = FxHashSet::default();
        for (id, mapping) in followed.spaces.mappings() {
            match &followed.bindings[id.0 as usize] {
                Binding::Target(_) => {
                    self.statistics.mappings += 1;
                    processes.insert(mapping.pid);
                }
                Binding::OtherBuild => {
                    self.seen.other_build(&mapping.file.name, followed.build_id_of(mapping));
                }
                Binding::Other => self.seen.other_file(mapping),
            }
        }
        self.statistics.processes += processes.len() as u64;
    }
}

fn open(path: &Path) -> Result<PerfData, Error> {
    let input = if path.as_os_str() == STANDARD_INPUT {
        PerfData::from_stdin()
    } else {
        PerfData::open(path)
    };
    input.map_err(|error| input_error(error).path(path))
}

/// The address spaces of one input, and what their mappings hold.
#[derive(Default)]
struct Followed {
    spaces: AddressSpaces,
    /// By mapping id.
    bindings: Vec<Binding>,
    build_ids: FxHashMap<String, BuildId>,
    /// Compat mode needs the mappings in their order.
    records: Vec<SideRecord>,
}

impl Followed {
    fn extend(&mut self, segment: &Segment, metadata: &Metadata, target: &Target<'_>, options: &GenerateOptions) {
        self.spaces.extend(segment.side_records());
        if options.compat == Compat::LlvmProfgen {
            self.records.extend_from_slice(segment.side_records());
        }
        self.build_ids
            .extend(metadata.build_ids.iter().map(|entry| (entry.name.clone(), entry.id)));
        let known = self.bindings.len();
        let new = self.spaces.mappings().filter(|(id, _)| id.0 as usize >= known);
        let bindings: Vec<_> = new
            .map(|(_, mapping)| {
                if !mapping.executable {
                    return Binding::Other;
                }
                bind(mapping, self.listed(mapping), target, options.ignore_build_id)
            })
            .collect();
        self.bindings.extend(bindings);
    }

    /// The build id that the recording's table has for a mapping's file.
    fn listed(&self, mapping: &Mapping) -> Option<&BuildId> {
        let name = mapping.file.name.as_str();
        let name = if name.starts_with(KERNEL_MAP) { KERNEL_MAP } else { name };
        self.build_ids.get(name)
    }

    fn build_id_of(&self, mapping: &Mapping) -> Option<BuildId> {
        mapping.file.build_id.or_else(|| self.listed(mapping).copied())
    }

    fn global_base(&self, target: &Target<'_>, options: &GenerateOptions) -> Result<Option<GlobalBase>, Error> {
        match options.compat {
            Compat::LlvmProfgen => GlobalBase::new(&self.records, target, &options.select.pids).map(Some),
            Compat::None => Ok(None),
        }
    }
}
