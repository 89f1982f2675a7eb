//! Reads trace shards and counts their traces and sampled addresses (`docs/trace-shards.md`).

mod doubt;
mod places;
mod row;
mod shards;
mod stacks;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use job::failure::{HOW_TO_RECORD, shard_error};
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, Observer, Phase, Progress, check, count_of, repeated_inputs};
use rayon::prelude::*;
use symbolize::FunctionTable;
use traceshard::{Loss, Record, Shard};

use crate::account::ledger::EntryClass;
use crate::account::statistics::Statistics;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::mapped::Mapped;
use crate::binaries::target::{BySide, Targets};
use crate::input::call_stack::CallStacks;
use crate::input::call_stack_report::{call_stack_diagnostics, no_zeros_with_contexts, not_all_have_call_chains};
use crate::input::events::{about_addresses_of, uses_call_stacks};
use crate::input::other_mappings::OtherMappings;
use crate::input::samples::{Samples, TargetSamples, add_addresses};
use crate::input::traces::row::Rows;
pub(crate) use crate::input::traces::shards::shard_files;
use crate::input::traces::shards::{mapping_of, may_have, open};
use crate::request::options::{GenerateOptions, Input, SampleUse};

/// Refuses options that need data which rows do not have.
pub(crate) fn check_options(options: &GenerateOptions) -> Result<(), Error> {
    if !matches!(options.input, Input::Traces(_)) {
        return Ok(());
    }
    let invalid = |message: &str, hint: &str| Err(Error::new(ErrorCode::InvalidOptions, message).hint(hint));
    let select = &options.select;
    if !(select.pids.is_empty() && select.tids.is_empty() && select.cpus.is_empty() && select.time.is_none()) {
        return invalid(
            "traces do not say in which process or thread, on which CPU or when a branch was taken",
            "Choose among the samples when their traces are collected: {collect --pid --tid --cpu --time}.",
        );
    }
    if options.leading_ip_only || options.sample_period.is_some() {
        return invalid(
            "{--leading-ip-only} and {--sample-period} need each sample by itself, and traces are sums of samples",
            "Name the recordings themselves with {--perfdata}.",
        );
    }
    if !options.policy.own_mappings {
        return invalid(
            "{--compat=llvm-profgen} follows mappings as llvm-profgen does, and traces have no mappings any more",
            "Name the recordings themselves with {--perfdata}, or leave out {--compat}.",
        );
    }
    Ok(())
}

/// Returns the mappings of the shards.
pub(crate) fn read_mappings(paths: &[PathBuf], observer: &dyn Observer) -> Result<Mapped, Error> {
    let binaries = Mutex::new(BTreeSet::new());
    shard_files(paths)?.par_iter().try_for_each(|path| {
        check(observer)?;
        let shard = open(path)?;
        let mut own = BTreeSet::new();
        for group in 0..shard.groups() {
            shard
                .read_binaries(group, |binary| own.extend([binary.clone()]))
                .map_err(|error| shard_error(error, path))?;
        }
        binaries.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
        Ok(())
    })?;
    let mut mapped = Mapped::default();
    for binary in binaries.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let mapping = mapping_of(&binary);
        mapped.add(&mapping, mapping.file.build_id);
    }
    Ok(mapped)
}

/// Reads all shards. Neither their order nor the division of rows between them matters, because counts add
/// up. Returns `None` if there are whole samples with call chains and `functions`, the functions of the targets, are
/// not given.
pub(crate) fn read_all(
    paths: &[PathBuf],
    targets: &Targets<'_>,
    functions: Option<&ByBinary<&FunctionTable>>,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Option<Samples>, Error> {
    let files = shard_files(paths)?;
    let mut rows = read_rows(&files, targets, functions, options, observer)?;
    if rows.lack_functions() {
        return Ok(None);
    }
    if let Some(missing) = options.select.events.iter().find(|event| !rows.events.contains(*event)) {
        let all: Vec<_> = rows.events.iter().map(|event| format!("`{event}`")).collect();
        return Err(Error::new(
            ErrorCode::InvalidOptions,
            format!("the traces have no event `{missing}`; they have {}", all.join(", ")),
        )
        .hint("Name one of these with {--event}."));
    }
    check_kind(&rows, options)?;
    let by_stacks = rows.sides_by_stacks();
    let stacks = settle_stacks(&mut rows, by_stacks, options)?;
    let by_addresses = rows.count_by_addresses();
    let mut diagnostics = repeated_inputs(files.iter().map(PathBuf::as_path));
    let mut samples: ByBinary<TargetSamples> = ByBinary::new();
    for target in targets.iter() {
        let of_target = samples.entry(target.id).or_default();
        if let Some(found) = rows.targets.remove(&target.id) {
            of_target.mappings = found.files;
            of_target.same_build = found.same_build;
            of_target.pokes = found.pokes;
            of_target.failure = found.failure;
            diagnostics.extend(found.doubt.diagnostic(target));
        } else {
            let error = explain(&files, targets, target.id, options)?;
            of_target.failure = Some(error);
        }
        if let Some(error) = of_target.failure.take_if(|_| !options.has_several_binaries()) {
            return Err(error);
        }
        diagnostics.extend(rows.other_mappings.diagnostics(target));
    }
    diagnostics.extend(rows.rivals());
    diagnostics.extend(left_out(&rows, by_addresses, options));
    if by_addresses {
        diagnostics.extend(about_addresses_of(rows.address_events.iter().map(String::as_str)));
    } else {
        diagnostics.extend(call_chains_left_out(rows.lost(Loss::CallChains), options));
    }
    let statistics = Statistics {
        by_addresses,
        by_instructions: by_addresses && rows.count_by_instructions(),
        samples: rows.lost(Loss::Samples),
        branch_samples: rows.lost(Loss::BranchSamples),
        lost_records: rows.lost(Loss::LostRecords),
        input_bytes: rows.bytes,
        ..Statistics::default()
    };
    rows.account();
    let ledger = if by_addresses {
        add_addresses(&mut samples, rows.addresses, rows.call_sites, targets.space())
    } else {
        let (counters, ledger) = rows.traces.into_counters(targets.space());
        for (id, counters) in counters {
            samples.entry(id).or_default().counters = counters;
        }
        ledger
    };
    let mut statistics = Statistics { ledger, ..statistics };
    if let Some(stacks) = stacks {
        diagnostics.extend(call_stack_diagnostics(&stacks, options));
        for (id, counts) in stacks.into_contexts(targets, by_stacks).into_iter().flatten() {
            samples.entry(id).or_default().contexts = Some(Box::new(counts));
        }
    }
    if let Some(bolt) = rows.bolt {
        let (traces, ledger) = bolt.into_traces(targets.space());
        statistics.ledger += &ledger;
        for (id, traces) in traces {
            samples.entry(id).or_default().bolt = traces;
        }
    }
    let mapped = if options.looks_for_binaries() {
        read_mappings(paths, observer)?
    } else {
        Mapped::default()
    };
    Ok(Some(Samples {
        targets: samples,
        statistics,
        diagnostics,
        mapped,
    }))
}

/// Adds the counts of whole samples to those of branches without call chains. `sides` is true for each side whose targets are
/// counted by them. Returns the counts by call stacks; `None` if there are no whole samples.
fn settle_stacks(
    rows: &mut Rows<'_>,
    sides: BySide<bool>,
    options: &GenerateOptions,
) -> Result<Option<CallStacks>, Error> {
    if let Some((id, _)) = rows
        .targets
        .iter()
        .find(|(_, found)| found.branches_in_stacks && !found.has_stacks)
    {
        let message = format!(
            "the traces of {} have rows of branches whose column `has_call_chain` is true, and no rows of the record `stack`, which have the same \
             samples with their call chains",
            rows.path_of(*id)
        );
        return Err(Error::new(ErrorCode::InputInvalid, message).hint(
            "Keep the rows of the record `stack`, or set `has_call_chain` to NULL in all rows for a profile without calling contexts.",
        ));
    }
    settle_chainless(rows, sides);
    if sides == BySide::default() {
        return Ok(None);
    }
    if !options.ignore_stack_samples {
        if options.fill_zero_for_all_funcs {
            return Err(no_zeros_with_contexts("the traces", "have"));
        }
        if sides.kernel && rows.has_flat.kernel || sides.user && rows.has_flat.user {
            let message = "some samples of the traces come from recordings with call chains and others do not";
            return Err(not_all_have_call_chains(message.to_owned()));
        }
    }
    Ok(rows.stacks.take().map(|stacks| {
        let (stacks, traces) = stacks.into_parts();
        rows.traces.merge(traces);
        stacks
    }))
}

/// Counts the branches of events without call chains in recordings whose other events have them, unless `sides` says that
/// call stacks decide which samples count.
fn settle_chainless(rows: &mut Rows<'_>, sides: BySide<bool>) {
    std::mem::take(&mut rows.chainless).map(|side, chainless| match chainless {
        None => {}
        // As in a recording, the call stacks of such samples are not sure.
        Some(_) if *sides.of(side) => {
            let entries = *rows.chainless_entries.of(side);
            rows.traces.lose(EntryClass::UnsureStack, entries);
        }
        Some(chainless) => rows.traces.merge(chainless),
    });
}

fn read_rows<'a>(
    files: &[PathBuf],
    targets: &'a Targets<'a>,
    functions: Option<&'a ByBinary<&'a FunctionTable>>,
    options: &'a GenerateOptions,
    observer: &dyn Observer,
) -> Result<Rows<'a>, Error> {
    // There is one worker for each thread. A thread holds its worker only while it reads a group, and starts
    // no other task meanwhile.
    let workers: Vec<_> = (0..rayon::current_num_threads())
        .map(|_| Mutex::new(Rows::new(targets, functions, options)))
        .collect();
    let total = files.len() as u64;
    let done = AtomicU64::new(0);
    // True if the job must begin anew with the functions of the targets.
    let lacks_functions = AtomicBool::new(false);
    let is_needed = |shard: &Shard, group: usize| {
        let is_of_stacks = shard.record_of(group) == Some(Record::Stack);
        may_have(shard, group, targets, options) && (uses_call_stacks(options) || !is_of_stacks)
    };
    let read = |path: &PathBuf| {
        check(observer)?;
        if lacks_functions.load(Ordering::Relaxed) {
            return Ok(());
        }
        let shard = open(path)?;
        // A thread that becomes idle can take over each group that no thread reads yet.
        let groups = (0..shard.groups()).into_par_iter().with_max_len(1);
        groups.filter(|group| is_needed(&shard, *group)).try_for_each(|group| {
            check(observer)?;
            let worker = &workers[rayon::current_thread_index().unwrap_or(0)];
            let mut worker = worker.lock().unwrap_or_else(PoisonError::into_inner);
            worker.read_group(&shard, group, path)?;
            if worker.lack_functions() {
                lacks_functions.store(true, Ordering::Relaxed);
            }
            Ok::<(), Error>(())
        })?;
        let worker = &workers[rayon::current_thread_index().unwrap_or(0)];
        worker.lock().unwrap_or_else(PoisonError::into_inner).bytes += shard.size();
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        observer.progress(Progress::of(Phase::Decode, done, total));
        Ok::<(), Error>(())
    };
    files.par_iter().try_for_each(read)?;
    let mut all = Rows::new(targets, functions, options);
    for worker in workers {
        all.merge(worker.into_inner().unwrap_or_else(PoisonError::into_inner))?;
    }
    Ok(all)
}

/// Refuses traces that have nothing of the kind that the options ask for.
fn check_kind(rows: &Rows<'_>, options: &GenerateOptions) -> Result<(), Error> {
    let (branches, addresses) = (rows.have_branches(), rows.have_addresses());
    let wants_addresses = options.samples == SampleUse::Addresses && options.for_bolt.is_none();
    if wants_addresses && branches && !addresses {
        let message = "{--samples=addresses} counts sampled addresses, and the traces have only branches";
        return Err(Error::new(ErrorCode::InvalidOptions, message).hint(
            "Collect the addresses of the same recordings with {collect --samples=addresses}, or leave out {--samples}.",
        ));
    }
    let wants_branches = options.samples == SampleUse::Branches || options.for_bolt.is_some();
    if wants_branches && addresses && !branches {
        let message = "the traces have no branches; they have sampled addresses";
        return Err(Error::new(ErrorCode::NoBranchStacks, message).hint(HOW_TO_RECORD));
    }
    Ok(())
}

/// Returns a warning about samples that do not count, because other samples have what they lack.
fn left_out(rows: &Rows<'_>, by_addresses: bool, options: &GenerateOptions) -> Option<Diagnostic> {
    let message = if by_addresses && rows.lost(Loss::BranchSamples) > 0 {
        format!(
            "{} of the traces have branch stacks, and their addresses were not collected: they are left out. {{collect --samples=addresses}} collects \
             the addresses",
            count_of(rows.lost(Loss::BranchSamples), "sample")
        )
    } else if !by_addresses && rows.have_addresses() && options.samples == SampleUse::Any {
        format!(
            "{} of the traces have no branch stack, and others have: they are left out. {{--samples=addresses}} makes a profile of them alone",
            count_of(rows.lost(Loss::Addresses), "sample")
        )
    } else {
        return None;
    };
    Some(Diagnostic::warning(DiagnosticCode::EventLeftOut, message))
}

/// Returns a note that the recordings had call chains, which the traces lack, unless the options ask for
/// this.
fn call_chains_left_out(chains: u64, options: &GenerateOptions) -> Option<Diagnostic> {
    (chains > 0 && !options.ignore_stack_samples && options.for_bolt.is_none()).then(|| {
        let message = format!(
            "{} of the traces had call chains, which were left out when the traces were collected, so the profile has no calling contexts. \
             Collect the recordings without {{collect --ignore-stack-samples}} for contexts",
            count_of(chains, "sample")
        );
        Diagnostic::note(DiagnosticCode::CallChainsUnused, message)
    })
}

/// Explains why no row belongs to a target. Looks at all files once more, including those of other builds.
fn explain(files: &[PathBuf], targets: &Targets<'_>, id: BinaryId, options: &GenerateOptions) -> Result<Error, Error> {
    let mut other_mappings = OtherMappings::default();
    for path in files {
        let shard: Shard = open(path)?;
        for group in 0..shard.groups() {
            shard
                .read_binaries(group, |binary| row::note(binary, targets, options, &mut other_mappings))
                .map_err(|error| shard_error(error, path))?;
        }
    }
    Ok(other_mappings.no_samples_error(&targets[id]))
}
