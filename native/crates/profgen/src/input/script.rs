//! Reads texts of `perf script`, one after the other, and counts their traces.
//!
//! A text is read once, window by window. In each window, the mappings are looked for first. Then all threads
//! read blocks of the window, each block with the address space of its place in the text.

mod group;
mod mapping_lines;
mod offsets;
mod other_forms;
mod problems;
mod refusals;
mod space;
mod worker;

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use job::failure::unreadable;
use job::{Diagnostic, Error, ErrorCode, InputObserver, Observer, Phase, Progress, check, repeated_inputs};
use perfdata::{Avma, BuildId, CpuMode, Interruptible, KERNEL_IMAGE, MappedFile, Mapping};
use perfscript::{MappingLine, SampleKind, Window, Windows, blocks, mappings};
use rayon::prelude::*;
use symbolize::FunctionTable;

use crate::account::ledger::EntryClass;
use crate::account::statistics::Statistics;
use crate::binaries::id::ByBinary;
use crate::binaries::mapped::Mapped;
use crate::binaries::target::{Target, Targets};
use crate::input::call_stack::CallStacks;
use crate::input::call_stack_report::call_stack_diagnostics;
use crate::input::collect::Collected;
use crate::input::recording::STANDARD_INPUT;
use crate::input::samples::Samples;
use crate::input::usable::mapping_event;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;
use group::{Group, dialect};
use mapping_lines::MappingLines;
use offsets::Offsets;
use other_forms::no_branches_error;
use problems::{Problem, Problems};
use refusals::{check_contexts, check_selection, has_call_stacks, mixed_kinds};
use worker::{BlockReport, Epoch, Worker};

/// Number of bytes that a thread reads at a time.
const BLOCK: usize = 256 << 10;

/// Most changes of the address space that are looked ahead. Each change is a list of mappings.
const EPOCHS: usize = 256;

/// Reads all texts. Their order does not matter: each has its own address space, and counts add up.
///
/// `functions` are the functions of the targets.
pub(crate) fn read_all(
    paths: &[PathBuf],
    groups: &[Targets<'_>],
    functions: &ByBinary<&FunctionTable>,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Samples, Error> {
    check_selection(options)?;
    let groups = groups.iter().map(|targets| Group::new(targets, functions, options));
    let diagnostics = if options.policy.words == Words::Own {
        repeated_inputs(paths.iter().map(PathBuf::as_path))
    } else {
        Vec::new()
    };
    let observers = InputObserver::for_each(paths, observer);
    let mut script = Script {
        options,
        observer,
        groups: groups.collect(),
        statistics: Statistics::default(),
        diagnostics,
        mapping_lines: MappingLines::default(),
        kind: None,
    };
    for (path, observer) in paths.iter().zip(&observers) {
        script.observer = observer;
        script.read(path).map_err(|error| match error.path {
            Some(_) => error,
            None => error.path(path),
        })?;
    }
    script.finish()
}

struct Script<'a> {
    options: &'a GenerateOptions,
    observer: &'a dyn Observer,
    groups: Vec<Group<'a>>,
    statistics: Statistics,
    diagnostics: Vec<Diagnostic>,
    mapping_lines: MappingLines,
    /// The kind of the samples of the first text: with or without call stacks.
    kind: Option<SampleKind>,
}

impl<'a> Script<'a> {
    fn read(&mut self, path: &Path) -> Result<(), Error> {
        let io_error = |error: std::io::Error| {
            if Interruptible::is_interruption(&error) {
                return Error::aborted();
            }
            unreadable(error, path)
        };
        let (reader, size) = open(path, self.observer).map_err(io_error)?;
        let mut windows = match Windows::open(reader, dialect(self.options)).map_err(io_error)? {
            Ok(windows) => windows,
            Err(head) => return Err(no_branches_error(&head, path)),
        };
        if windows.kind() == SampleKind::CallStacks && !self.options.ignore_stack_samples {
            check_contexts(self.options).map_err(|message| has_call_stacks(path, message))?;
        }
        if *self.kind.get_or_insert(windows.kind()) != windows.kind() && !self.options.ignore_stack_samples {
            return Err(mixed_kinds(path));
        }
        for group in &mut self.groups {
            group.begin(windows.kind());
        }
        let kind = windows.kind();
        let (mut window, mut next) = (Window::default(), Window::default());
        let (mut done, mut lines) = (0, 0);
        let lines_before = self.mapping_lines.lines;
        let mut problems = Problems::new(self.options.policy);
        let mut more = windows.read(&mut window).map_err(io_error)?;
        while more {
            check(self.observer)?;
            let (read, counted) = rayon::join(|| windows.read(&mut next), || self.count(&window.text, kind));
            for report in counted? {
                problems.append(report.problems, lines);
                lines += report.lines;
            }
            if window.skipped_line {
                problems.add(Problem::TooLong, lines, b"");
                lines += 1;
            }
            done += window.text.len() as u64;
            self.observer.progress(Progress::of(Phase::Decode, done, size));
            more = read.map_err(io_error)?;
            std::mem::swap(&mut window, &mut next);
        }
        self.statistics.input_bytes += done;
        if self.mapping_lines.lines == lines_before {
            self.mapping_lines.texts_without.push(path.to_owned());
        }
        self.report(problems, path)
    }

    /// Counts a window. Returns the reports of its blocks, in order.
    fn count(&mut self, text: &[u8], kind: SampleKind) -> Result<Vec<BlockReport>, Error> {
        let found: Vec<Vec<_>> = blocks(text, kind, BLOCK)
            .into_par_iter()
            .map(|block| mappings(text, block, kind, dialect(self.options)).collect())
            .collect();
        let found = found.concat();
        let mut rest = found.as_slice();
        let mut start = 0;
        let mut reports = Vec::new();
        while start < text.len() {
            let (now, later) = rest.split_at(rest.len().min(EPOCHS));
            // Another item begins after a line about a mapping.
            let end = match now.last() {
                Some((end, _)) if !later.is_empty() => end + 1,
                _ => text.len(),
            };
            reports.extend(self.count_part(text, start..end, now, kind)?);
            (rest, start) = (later, end);
        }
        Ok(reports)
    }

    /// Counts a part of a window, which has these mappings.
    fn count_part(
        &mut self,
        text: &[u8],
        part: Range<usize>,
        mappings: &[(usize, MappingLine<'_>)],
        kind: SampleKind,
    ) -> Result<Vec<BlockReport>, Error> {
        let start = part.start;
        let mut epochs: Vec<Vec<Epoch<'a>>> = self.groups.iter().map(|group| vec![group.epoch_from(start)]).collect();
        for (end, line) in mappings {
            self.follow(line, *end, &mut epochs)?;
        }
        let (groups, observer) = (&self.groups, self.observer);
        let count = |block: Range<usize>| {
            check(observer)?;
            let block = start + block.start..start + block.end;
            let mut reports = groups
                .iter()
                .zip(&epochs)
                .map(|(group, epochs)| group.read_block(text, block.clone(), epochs));
            // All groups find the same problems.
            let first = reports.next();
            reports.for_each(drop);
            Ok(first)
        };
        let blocks = blocks(&text[part], kind, BLOCK).into_par_iter();
        let reports: Vec<Option<BlockReport>> = blocks.map(count).collect::<Result<_, _>>()?;
        Ok(reports.into_iter().flatten().collect())
    }

    fn follow(&mut self, line: &MappingLine<'_>, end: usize, epochs: &mut [Vec<Epoch<'a>>]) -> Result<(), Error> {
        self.mapping_lines.lines += 1;
        if self.options.show_mmap_events {
            let name = String::from_utf8_lossy(line.path);
            self.diagnostics.push(mapping_event(&name, Avma(line.start)));
        }
        let pids = &self.options.select.pids;
        if !pids.is_empty() && !pids.contains(&line.pid) {
            return Ok(());
        }
        let mapping = mapping_of(line);
        for (group, epochs) in self.groups.iter_mut().zip(epochs) {
            group.follow(&mapping, end, &mut self.mapping_lines.other_mappings, epochs)?;
        }
        Ok(())
    }

    /// Reports the lines of a text that were not understood.
    fn report(&mut self, problems: Problems, path: &Path) -> Result<(), Error> {
        if problems.has(Problem::Cut) && !self.options.policy.any_text {
            return Err(Error::new(
                ErrorCode::InputInvalid,
                "'Hybrid perf sample is corrupted, No LBR sample line",
            )
            .hint("Without {--compat=llvm-profgen} what comes before the end of the text is used."));
        }
        let (is_damaged, words) = (problems.is_damage(), self.options.policy.words);
        let target = self.groups.first().and_then(|group| group.job.targets.iter().next());
        let found = problems.into_diagnostics(
            &target.map(|target| not_mapped(target, words)).unwrap_or_default(),
            words,
        );
        if let (true, true, Some(first)) = (self.options.strict, is_damaged, found.first()) {
            return Err(Error::new(ErrorCode::InputDamaged, first.message.clone())
                .path(path)
                .hint("Leave out {--strict} to use what can be read."));
        }
        self.diagnostics.extend(found);
        Ok(())
    }

    fn finish(mut self) -> Result<Samples, Error> {
        let mut targets = ByBinary::new();
        if self.options.policy.words == Words::Own {
            self.diagnostics.extend(self.mapping_lines.diagnostics());
        }
        let only = self.groups.iter().map(|group| group.job.targets.len()).sum::<usize>() == 1;
        for mut group in self.groups {
            group.end_processes();
            let (collected, stacks, offsets) =
                merge(group.workers.into_inner().unwrap_or_else(PoisonError::into_inner));
            // All groups read the same samples.
            self.statistics.samples = collected.samples;
            self.statistics.branch_samples = collected.branch_samples;
            self.diagnostics.extend(call_stack_diagnostics(&stacks, self.options));
            // A text without call stacks has no contexts.
            let mut contexts = match self.kind {
                Some(SampleKind::CallStacks) => stacks.into_contexts(group.job.targets, group.job.targets.sides()),
                _ => None,
            };
            let (counters, ledger) = collected.traces.into_counters(group.job.targets.space());
            if self.options.policy.words == Words::Own {
                self.diagnostics.extend(offsets.of_frames());
            }
            self.statistics.ledger += &ledger;
            for (id, counters) in counters {
                let target = &group.job.targets[id];
                let mut samples = group.samples.remove(&id).unwrap_or_default();
                if samples.mappings == 0 {
                    match self.mapping_lines.unmapped_error(target, only, &ledger, self.options) {
                        Some(error) if only => return Err(error),
                        failure => samples.failure = failure,
                    }
                }
                if self.options.policy.empty_is_error && ledger[EntryClass::Used] == 0 {
                    match offsets.of_branches() {
                        Some(error) if only => return Err(error),
                        failure => samples.failure = failure.or(samples.failure),
                    }
                }
                self.diagnostics
                    .extend(self.mapping_lines.other_mappings.diagnostics(target));
                samples.counters = counters;
                samples.contexts = contexts
                    .as_mut()
                    .map(|all| Box::new(all.remove(&id).unwrap_or_default()));
                targets.insert(id, samples);
            }
        }
        Ok(Samples {
            targets,
            statistics: self.statistics,
            diagnostics: self.diagnostics,
            mapped: Mapped::default(),
        })
    }
}

/// Returns the warning that no mapping was found.
fn not_mapped(target: &Target<'_>, words: Words) -> String {
    let (name, base) = (target.name(), target.image.preferred_base().0);
    match words {
        Words::Own => format!(
            "no line before the first sample says where {name} was loaded, so it is taken to be where it was linked to, at {base:#x}"
        ),
        Words::LlvmProfgen => format!(
            "No relevant mmap event is matched for {name}, will use preferred address ({base:#x}) as the base loading address!"
        ),
    }
}

/// Opens a text. Returns its size in bytes, too, or 0 if the size is not known. Reading a stream ends when the job is
/// cancelled.
fn open(path: &Path, observer: &dyn Observer) -> std::io::Result<(Box<dyn Read + Send>, u64)> {
    let cancel = observer.cancel_flag();
    if path.as_os_str() == STANDARD_INPUT {
        return Ok((Box::new(Interruptible::stdin(cancel)?), 0));
    }
    let file = Interruptible::open(path, cancel)?;
    let size = file.size()?;
    Ok((Box::new(file), size))
}

fn mapping_of(line: &MappingLine<'_>) -> Mapping {
    let name = String::from_utf8_lossy(line.path).into_owned();
    let cpumode = if name.starts_with(KERNEL_IMAGE) {
        CpuMode::Kernel
    } else {
        CpuMode::User
    };
    Mapping {
        pid: line.pid,
        tid: line.pid,
        start: Avma(line.start),
        len: line.len,
        pgoff: line.offset,
        executable: line.executable,
        cpumode,
        file: Arc::new(MappedFile {
            name,
            build_id: line.build_id.as_deref().and_then(BuildId::new),
        }),
    }
}

/// Adds up the counts of all workers.
fn merge(workers: Vec<Worker<'_>>) -> (Collected, CallStacks, Offsets) {
    let all = workers
        .into_iter()
        .map(|worker| (worker.collected, worker.call_stacks.found, worker.offsets));
    let merged = all.reduce(|mut all, more| {
        all.1.merge(more.1);
        all.2.add(more.2);
        (all.0.merged(more.0), all.1, all.2)
    });
    merged.unwrap_or_default()
}
