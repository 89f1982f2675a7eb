//! Finds the events of a recording whose samples can be used.

use std::path::Path;

use job::failure::HOW_TO_RECORD;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, Silent};
use perfdata::{EventAttr, Metadata};
use traceshard::BinaryKind;

use crate::binaries::target::{BySide, Side};
use crate::input::recording::{STANDARD_INPUT, open};
use crate::request::options::{GenerateOptions, SampleUse};

/// The events of an input whose samples count, and which part of the samples counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsableEvents {
    /// True for each event whose samples count.
    pub events: Vec<bool>,
    /// True if the sampled addresses count, not the branch stacks.
    pub addresses: bool,
    /// True for each event whose sampled addresses count where samples have no branch stack.
    pub without_stacks: Vec<bool>,
    /// True if the events of sampled addresses count instructions, whatever time they take.
    pub by_instructions: bool,
}

impl UsableEvents {
    /// Returns the events of which all can be used. Their branches count.
    fn of_branches(events: Vec<bool>, attrs: &[EventAttr]) -> Self {
        let (kind, without_stacks) =
            events_of_one_kind(attrs, |event, _| events[event]).unwrap_or((None, vec![false; attrs.len()]));
        Self {
            events,
            addresses: false,
            without_stacks,
            by_instructions: kind == Some(Counted::Instructions),
        }
    }

    /// Returns true if the sampled addresses of an event count where samples have no branch stack.
    pub(crate) fn has_addresses(&self, event: u16) -> bool {
        self.without_stacks.get(usize::from(event)).is_none_or(|counts| *counts)
    }
}

/// Returns the events whose samples count, and which part of the samples counts.
pub(crate) fn usable_events(metadata: &Metadata, options: &GenerateOptions) -> Result<UsableEvents, Error> {
    let attrs = &metadata.attrs;
    let wanted = &options.select.events;
    if let Some(missing) = wanted
        .iter()
        .find(|name| attrs.iter().all(|attr| attr.label() != **name))
    {
        let all = labels(attrs.iter());
        return Err(Error::new(
            ErrorCode::InvalidOptions,
            format!("the recording has no event `{missing}`; it has {all}"),
        )
        .hint("Name one of these with {--event}."));
    }
    let mut usable: Vec<bool> = attrs
        .iter()
        .map(|attr| is_wanted(attr, options) && obstacle(attr, options).is_none())
        .collect();
    // Branch stacks tell more than Arm SPE, and counts of both cannot be added up.
    let arm_spe = metadata.arm_spe_event().filter(|_| options.reads_arm_spe());
    if let Some(event) = arm_spe.filter(|event| is_wanted(&attrs[*event], options) && !usable.contains(&true)) {
        usable[event] = true;
    }
    let use_addresses = options.for_bolt.is_none() && !options.leading_ip_only && options.policy.infers_from_addresses;
    if options.samples == SampleUse::Addresses && use_addresses {
        return sampled_addresses(attrs, options);
    }
    if usable.contains(&true) || attrs.is_empty() {
        return Ok(UsableEvents::of_branches(usable, attrs));
    }
    let has_stacks = attrs
        .iter()
        .any(|attr| is_wanted(attr, options) && attr.has_branch_stack());
    let tells_time = |attr: &EventAttr| is_wanted(attr, options) && counted(&attr.label()) != Counted::Other;
    if options.samples == SampleUse::Any && use_addresses && !has_stacks && attrs.iter().any(tells_time) {
        return sampled_addresses(attrs, options);
    }
    if let Some(error) = (0..attrs.len()).find_map(|event| raw_trace(metadata, event, options)) {
        return Err(error);
    }
    let wanted = || attrs.iter().filter(|attr| is_wanted(attr, options));
    // The event that is nearest to a usable one gives the most helpful message.
    let nearest = wanted().filter_map(|attr| obstacle(attr, options)).max();
    let of = |kind: &Obstacle| labels(wanted().filter(|attr| obstacle(attr, options).as_ref() == Some(kind)));
    let message = match nearest {
        Some(found @ (Obstacle::SomeKinds(_) | Obstacle::CallStack)) => {
            format!("the branch stacks of {} {}", of(&found), found.describe())
        }
        _ => format!(
            "the recording has no branch stacks; its events are {}",
            labels(wanted())
        ),
    };
    let may_use_addresses = options.samples == SampleUse::Any && use_addresses;
    let hint = if may_use_addresses {
        format!(
            "{HOW_TO_RECORD} Or record cycles, or use {{--samples=addresses}} for a profile by the sampled addresses."
        )
    } else {
        HOW_TO_RECORD.to_owned()
    };
    Err(Error::new(ErrorCode::NoBranchStacks, message).hint(hint))
}

/// Returns the reason why the trace of an event cannot be used: either perf must first make branch stacks of
/// it, or no program can.
fn raw_trace(metadata: &Metadata, event: usize, options: &GenerateOptions) -> Option<Error> {
    let label = metadata.attrs[event].label();
    let inject = |options: &str| {
        format!(
            "Run `perf inject -i perf.data -o stacks.data --itrace={options} --strip`, with perf.data for the name of the recording, and \
             give stacks.data to {{--perfdata}}."
        )
    };
    let (what, hint) = if label.starts_with("intel_pt/") {
        ("a raw trace of Intel PT", inject("i100usle"))
    } else if label.starts_with("cs_etm/") {
        ("a raw trace of Arm CoreSight", inject("i100000il128"))
    } else if label.starts_with("arm_spe") || metadata.arm_spe_event() == Some(event) {
        arm_spe_unused(options)
    } else {
        return None;
    };
    let message = format!("the recording is {what} (`{label}`) and has no branch stacks");
    Some(Error::new(ErrorCode::NoBranchStacks, message).hint(hint))
}

/// Returns the reason why samples of Arm SPE are not counted, and the remedy.
fn arm_spe_unused(options: &GenerateOptions) -> (&'static str, String) {
    let (what, hint) = if options.leading_ip_only {
        (
            "one of Arm SPE, whose samples are branches, not addresses",
            "Leave out {--leading-ip-only}.",
        )
    } else if !options.policy.reads_arm_spe {
        (
            "one of Arm SPE, which llvm-profgen does not read",
            "Leave out {--compat=llvm-profgen}.",
        )
    } else {
        (
            "one of Arm SPE, but does not hold its trace",
            "Record with a newer perf: `perf record -e arm_spe/branch_filter=1/u -o perf.data -- PROGRAM`.",
        )
    };
    (what, hint.to_owned())
}

/// Returns the events whose sampled addresses tell how often code was executed: those that count time, or
/// else those that count instructions, or else the events that the caller selected.
fn sampled_addresses(attrs: &[EventAttr], options: &GenerateOptions) -> Result<UsableEvents, Error> {
    let Some((kind, events)) = events_of_one_kind(attrs, |_, attr| is_wanted(attr, options)) else {
        let message = format!(
            "the samples of {} say neither where nor in which process they were taken",
            labels(attrs.iter().filter(|attr| is_wanted(attr, options)))
        );
        return Err(Error::new(ErrorCode::NoBranchStacks, message).hint(HOW_TO_RECORD));
    };
    Ok(UsableEvents {
        without_stacks: events.clone(),
        events,
        addresses: true,
        by_instructions: kind == Some(Counted::Instructions),
    })
}

/// Returns true for each event whose samples state an address: of the events that count time, or else of those
/// that count instructions, or else of all. Returns `None` if there is none. `is_candidate` returns true for an
/// event that may be among them.
fn events_of_one_kind(
    attrs: &[EventAttr],
    is_candidate: impl Fn(usize, &EventAttr) -> bool,
) -> Option<(Option<Counted>, Vec<bool>)> {
    let events = |kind: Option<Counted>| -> Vec<bool> {
        let counts = |(event, attr): (usize, &EventAttr)| {
            is_candidate(event, attr)
                && attr.has_address_and_process()
                && kind.is_none_or(|kind| counted(&attr.label()) == kind)
        };
        attrs.iter().enumerate().map(counts).collect()
    };
    let kinds = [Some(Counted::Time), Some(Counted::Instructions), None];
    kinds
        .into_iter()
        .map(|kind| (kind, events(kind)))
        .find(|(_, events)| events.contains(&true))
}

/// The thing that an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Time,
    Instructions,
    Other,
}

/// Returns the thing that the event with this name counts.
fn counted(label: &str) -> Counted {
    let label = label.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
    if has(&["stalled", "misses"]) {
        Counted::Other
    } else if has(&["cycles", "clock", "ibs_op", "r3c", "r76"]) {
        Counted::Time
    } else if has(&["instructions", "inst_retired"]) {
        Counted::Instructions
    } else {
        Counted::Other
    }
}

/// Returns true if the event with this name counts instructions.
pub(crate) fn counts_instructions(label: &str) -> bool {
    counted(label) == Counted::Instructions
}

/// Returns a diagnostic about sampled addresses that are counted.
pub(crate) fn about_addresses(metadata: &Metadata, found: &UsableEvents) -> Option<Diagnostic> {
    let used = metadata.attrs.iter().zip(&found.events).filter(|(_, used)| **used);
    let used: Vec<String> = used.map(|(attr, _)| attr.label()).collect();
    about_addresses_of(used.iter().filter(|_| found.addresses).map(String::as_str))
}

/// Returns a diagnostic about sampled addresses of the events with these names.
pub(crate) fn about_addresses_of<'a>(events: impl Iterator<Item = &'a str> + Clone) -> Option<Diagnostic> {
    let other = events.clone().any(|event| counted(event) == Counted::Other);
    other.then(|| {
        let names: Vec<_> = events.map(|event| format!("`{event}`")).collect();
        let message = format!(
            "{} counts neither time nor instructions, so where it was sampled need not be where the program was busy; record cycles \
             or cpu-clock",
            names.join(", ")
        );
        Diagnostic::warning(DiagnosticCode::AddressesOfOtherEvents, message)
    })
}

fn counts_by_stacks(attr: &EventAttr, options: &GenerateOptions) -> bool {
    is_wanted(attr, options) && obstacle(attr, options).is_none()
}

/// The call chains of an event's samples that have branch stacks, for each side: true if the chains have frames of the
/// side; false if only chains of other events of the recording have such frames, so that the samples of this event do
/// not count for the side's binaries. `None` if no event's chains have them: then the branch stacks count alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HasCallChains(pub BySide<Option<bool>>);

impl HasCallChains {
    /// The call chains of samples that have all frames.
    pub(crate) const WHOLE: Self = Self(BySide {
        kernel: Some(true),
        user: Some(true),
    });

    /// Returns true if the call chains have frames that matter.
    #[inline]
    pub(crate) fn are_wanted(self) -> bool {
        self.0.each().contains(&&Some(true))
    }

    /// Returns true if the frames of some event decide what counts.
    #[inline]
    pub(crate) fn decide(self) -> bool {
        self.0.each().iter().any(|side| side.is_some())
    }

    /// Returns whether call chains have frames that matter to files of this kind.
    #[inline]
    pub(crate) fn of(self, kind: BinaryKind) -> Option<bool> {
        *self.0.of(side_of(kind))
    }

    /// Returns the call chains that matter if only these sides have binaries.
    pub(crate) fn with(self, sides: BySide<bool>) -> Self {
        Self(self.0.map(|side, has| has.filter(|_| *sides.of(side))))
    }
}

/// Returns the side that files of a kind are on.
pub(crate) fn side_of(kind: BinaryKind) -> Side {
    match kind {
        BinaryKind::Kernel | BinaryKind::Module => Side::Kernel,
        BinaryKind::User => Side::User,
    }
}

/// Returns the call chains of each event that matter to a job.
pub(crate) fn call_chains(metadata: &Metadata, options: &GenerateOptions) -> Vec<HasCallChains> {
    let attrs = &metadata.attrs;
    if !uses_call_stacks(options) {
        return vec![HasCallChains::default(); attrs.len()];
    }
    let of_all = |has: fn(&EventAttr) -> bool| {
        let any = attrs.iter().any(|attr| counts_by_stacks(attr, options) && has(attr));
        move |attr: &EventAttr| (any && counts_by_stacks(attr, options)).then(|| has(attr))
    };
    let kernel = of_all(EventAttr::has_kernel_call_chain);
    let user = of_all(EventAttr::has_user_call_chain);
    let of_attr = |attr: &EventAttr| {
        HasCallChains(BySide {
            kernel: kernel(attr),
            user: user(attr),
        })
    };
    attrs.iter().map(of_attr).collect()
}

/// Returns true if call stacks matter to a job.
pub(crate) fn uses_call_stacks(options: &GenerateOptions) -> bool {
    let by_branches = !options.leading_ip_only && options.samples != SampleUse::Addresses;
    by_branches && options.sample_period.is_none() && options.for_bolt.is_none()
}

/// Returns true if a recording may have call stacks. A stream cannot be looked at before it is read.
pub(crate) fn may_have_call_stacks(path: &Path, options: &GenerateOptions) -> bool {
    let is_file = |path: &Path| {
        path.metadata()
            .is_ok_and(|metadata| metadata.is_file() || metadata.is_dir())
    };
    if !uses_call_stacks(options) {
        return false;
    }
    if path.as_os_str() == STANDARD_INPUT || !is_file(path) {
        return true;
    }
    // The stage that reads the file reports that the file cannot be opened.
    let Ok(input) = open(path, &Silent) else { return false };
    let attrs = &input.metadata().attrs;
    attrs.is_empty()
        || attrs
            .iter()
            .any(|attr| attr.has_branch_stack() && attr.has_call_chain())
}

/// Returns a note about call chains that give no contexts to profiles of programs.
pub(crate) fn without_user_frames(metadata: &Metadata, options: &GenerateOptions) -> Option<Diagnostic> {
    let is_left_out =
        |attr: &&EventAttr| counts_by_stacks(attr, options) && attr.has_call_chain() && !attr.has_user_call_chain();
    if !uses_call_stacks(options) || options.ignore_stack_samples {
        return None;
    }
    let events: Vec<_> = metadata.attrs.iter().filter(is_left_out).collect();
    (!events.is_empty()).then(|| {
        let message = format!(
            "the call chains of {} have no frames of user space, so profiles of programs have no calling contexts. Record with `--call-graph fp` for contexts",
            labels(events.into_iter())
        );
        Diagnostic::note(DiagnosticCode::CallChainsUnused, message)
    })
}

/// Returns warnings about the events with useless branch stacks, beside events with useful ones.
pub(crate) fn left_out(metadata: &Metadata, options: &GenerateOptions) -> Vec<Diagnostic> {
    if options.samples == SampleUse::Addresses {
        return Vec::new();
    }
    let wanted = metadata.attrs.iter().filter(|attr| is_wanted(attr, options));
    let found = wanted.filter_map(|attr| match obstacle(attr, options)? {
        Obstacle::NoStack => None,
        obstacle => Some(format!(
            "the samples of `{}` are left out: its branch stacks {}",
            attr.label(),
            obstacle.describe()
        )),
    });
    found
        .map(|message| Diagnostic::warning(DiagnosticCode::EventLeftOut, message))
        .collect()
}

/// Returns remarks about branches that the samples that count lack: branches inside of transactions.
pub(crate) fn remarks(metadata: &Metadata, options: &GenerateOptions) -> Vec<Diagnostic> {
    let used = || {
        let wanted = metadata.attrs.iter().filter(|attr| is_wanted(attr, options));
        wanted.filter(|attr| obstacle(attr, options).is_none() && attr.has_branch_stack())
    };
    let mut found = Vec::new();
    let without = || used().filter(|attr| attr.leaves_out_transactions());
    if without().next().is_some() {
        let message = format!(
            "{} recorded no branch inside of a transaction (`-j any,no_tx`); functions that run in transactions look colder than they are",
            labels(without())
        );
        found.push(Diagnostic::note(DiagnosticCode::TransactionsLeftOut, message));
    }
    found
}

fn is_wanted(attr: &EventAttr, options: &GenerateOptions) -> bool {
    let wanted = &options.select.events;
    wanted.is_empty() || wanted.contains(&attr.label())
}

/// The reason why the samples of an event do not show straight runs of code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    NoStack,
    CallStack,
    /// Only these kinds of branches were recorded.
    SomeKinds(String),
}

impl Obstacle {
    /// Returns the words that complete "the branch stacks ...".
    fn describe(&self) -> String {
        match self {
            Self::NoStack => "are missing".to_owned(),
            Self::CallStack => {
                "were recorded in call-stack mode (`--call-graph lbr`): their entries are call frames, not consecutive \
                                branches"
                    .to_owned()
            }
            Self::SomeKinds(kinds) => format!(
                "hold only some kinds of branches (-j {kinds}): the CPU took other branches between two entries, so the code between \
                 them is not a straight run"
            ),
        }
    }
}

fn obstacle(attr: &EventAttr, options: &GenerateOptions) -> Option<Obstacle> {
    if options.leading_ip_only {
        return None;
    }
    if !attr.has_branch_stack() {
        return Some(Obstacle::NoStack);
    }
    if attr.is_call_stack() {
        return Some(Obstacle::CallStack);
    }
    let kinds = attr.branch_kinds();
    // llvm-profgen does not check the kinds of branches.
    (!kinds.is_empty() && options.policy.refuses_implausible).then(|| Obstacle::SomeKinds(kinds.join(",")))
}

fn labels<'a>(attrs: impl Iterator<Item = &'a EventAttr>) -> String {
    let names: Vec<_> = attrs.map(|attr| format!("`{}`", attr.label())).collect();
    names.join(", ")
}
