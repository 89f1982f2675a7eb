//! Which events of a recording have samples that can be used.

use job::failure::HOW_TO_RECORD;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use perfdata::{EventAttr, Metadata};

use crate::request::options::GenerateOptions;

/// By event: whether its samples count.
pub(crate) fn usable_events(metadata: &Metadata, options: &GenerateOptions) -> Result<Vec<bool>, Error> {
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
        .hint("Name one of these with --event."));
    }
    let usable: Vec<bool> = attrs
        .iter()
        .map(|attr| is_wanted(attr, options) && obstacle(attr, options).is_none())
        .collect();
    if usable.contains(&true) || attrs.is_empty() {
        return Ok(usable);
    }
    let wanted = || attrs.iter().filter(|attr| is_wanted(attr, options));
    // What comes nearest to a usable recording tells most.
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
    Err(Error::new(ErrorCode::NoBranchStacks, message).hint(HOW_TO_RECORD))
}

/// The events that have branch stacks of no use, beside others that have useful ones.
pub(crate) fn left_out(metadata: &Metadata, options: &GenerateOptions) -> Vec<Diagnostic> {
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

/// What the samples that count do not tell, although they could have: branches inside of transactions, and callers.
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
    if used().any(EventAttr::has_call_chain) && !options.ignore_stack_samples {
        let message = "the recording has call chains, which only text tells of: the text of `perf script -F ip,brstack --show-mmap-events` \
                       gives a profile with calling contexts";
        found.push(Diagnostic::note(DiagnosticCode::CallChainsUnused, message));
    }
    found
}

fn is_wanted(attr: &EventAttr, options: &GenerateOptions) -> bool {
    let wanted = &options.select.events;
    wanted.is_empty() || wanted.contains(&attr.label())
}

/// Why the samples of an event tell no straight runs of code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    NoStack,
    CallStack,
    /// Only these kinds of branches were recorded.
    SomeKinds(String),
}

impl Obstacle {
    /// Completes "the branch stacks ...".
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
    // llvm-profgen does not look at them.
    (!kinds.is_empty() && options.policy().refuses_implausible).then(|| Obstacle::SomeKinds(kinds.join(",")))
}

fn labels<'a>(attrs: impl Iterator<Item = &'a EventAttr>) -> String {
    let names: Vec<_> = attrs.map(|attr| format!("`{}`", attr.label())).collect();
    names.join(", ")
}
