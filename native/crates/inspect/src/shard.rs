//! Describes a trace shard.

use std::collections::BTreeMap;
use std::path::Path;

use job::failure::shard_error;
use job::{Error, ErrorCode, Observer, check, on_threads};
use traceshard::{
    Binary, Ends, Loss, Metadata, Record, Row, Shard, branches_of, parse_branch_stack, parse_call_chain, parse_patch,
    shown,
};

/// The content of a shard. All of the shard was read, so a shard with a description can be used.
#[derive(Debug)]
pub struct ShardInspection {
    /// The metadata of the file.
    pub metadata: Metadata,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of rows.
    pub rows: u64,
    /// Number of row groups.
    pub groups: u64,
    /// The files that were mapped, the one with most branches first, or else the one with most sampled addresses.
    pub binaries: Vec<(Binary, FileCounts)>,
    /// Numbers of branches and of sampled addresses by event. Each branch is counted once, in the file where it starts. Branches that start in no
    /// mapped file are left out.
    pub events: Vec<(String, u64)>,
    /// Numbers of what was read, and of what is in no row of a branch or of an address.
    pub ledger: Vec<(Loss, u64)>,
}

/// Numbers of branches that start or end in a file, and of sampled addresses. A branch from one file to another
/// counts in both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// Number of rows of branches, addresses, calls and whole samples.
    pub rows: u64,
    /// Number of times that the branches were taken.
    pub count: u64,
    /// Number of times that the branches were mispredicted.
    pub mispredicted: u64,
    /// Number of sampled addresses in the file.
    pub addresses: u64,
    /// Number of whole samples with call chains whose branches start or end in the file.
    pub stacks: u64,
}

/// Reads a shard and describes it.
///
/// # Errors
/// `InputUnreadable`, `InputInvalid` or `Unsupported` if the shard cannot be used; `Aborted` if the job is
/// cancelled.
pub fn inspect_shard(path: &Path, observer: &dyn Observer) -> Result<ShardInspection, Error> {
    on_threads(1, || {
        let shard = Shard::open(path).map_err(|error| shard_error(error, path))?;
        let mut all = Sums::default();
        // As engines count rows: from 0.
        let mut number = 0u64;
        for group in 0..shard.groups() {
            check(observer)?;
            let read = shard.read_group(group, |row| {
                all.add(row)?;
                number += 1;
                Ok(())
            });
            read.map_err(|stop| match stop {
                Stop::Shard(error) => shard_error(error, path),
                Stop::Row(message) => {
                    let message = format!("{}: row {number}: {message}", path.display());
                    Error::new(ErrorCode::InputInvalid, message)
                        .path(path)
                        .hint("docs/trace-shards.md describes each column.")
                }
            })?;
        }
        let mut binaries: Vec<_> = all.binaries.into_iter().collect();
        binaries.sort_by(|(a, x), (b, y)| {
            (y.count, y.addresses)
                .cmp(&(x.count, x.addresses))
                .then_with(|| a.cmp(b))
        });
        Ok(ShardInspection {
            metadata: shard.metadata().clone(),
            bytes: shard.size(),
            rows: (0..shard.groups()).map(|group| shard.rows_of(group)).sum(),
            groups: shard.groups() as u64,
            binaries,
            events: all.events.into_iter().collect(),
            ledger: all.ledger.into_iter().collect(),
        })
    })
}

const BRANCHES: &str = "`FROM>TO` in hexadecimal, with `-` for outside the file and one space between two branches";
const FRAMES: &str = "addresses in hexadecimal, with `-` for outside the file and one space between two frames";
const PATCH: &str = "`OLD>NEW`, both bytes in hexadecimal";

#[derive(Default)]
struct Sums {
    binaries: BTreeMap<Binary, FileCounts>,
    events: BTreeMap<String, u64>,
    ledger: BTreeMap<Loss, u64>,
    /// The stacks of the current row.
    entries: Vec<Ends>,
    frames: Vec<Option<u64>>,
}

enum Stop {
    Shard(traceshard::Error),
    Row(String),
}

impl From<traceshard::Error> for Stop {
    fn from(error: traceshard::Error) -> Self {
        Self::Shard(error)
    }
}

impl Sums {
    fn add(&mut self, row: &Row<'_>) -> Result<(), Stop> {
        let wrong = |column: &str, text: Option<&str>, expected: &str| {
            let text = shown(text.unwrap_or_default());
            Err(Stop::Row(format!(
                "column `{column}` has {text}, and it must be {expected}"
            )))
        };
        let too_large = || Stop::Row("with this row the counts add up to more than 64 bits hold".to_owned());
        if row
            .via
            .is_some_and(|via| branches_of(via).any(|branch| branch.is_none()))
        {
            return wrong("via", row.via, BRANCHES);
        }
        if row
            .branch_stack
            .is_some_and(|stack| parse_branch_stack(stack, &mut self.entries).is_none())
        {
            return wrong("branch_stack", row.branch_stack, BRANCHES);
        }
        if row
            .call_chain
            .is_some_and(|chain| parse_call_chain(chain, &mut self.frames).is_none())
        {
            return wrong("call_chain", row.call_chain, FRAMES);
        }
        if row.stack_end.is_some() && row.crosses_kernel.is_none() {
            return Err(Stop::Row(
                "it has a value in `stack_end` and none in `crosses_kernel`, and both belong together".to_owned(),
            ));
        }
        if row.mispredicted > row.count {
            return Err(Stop::Row(format!(
                "it counts {} mispredicted branches of {}",
                row.mispredicted, row.count
            )));
        }
        match (row.record, row.kind) {
            (record, Some(kind)) if record.is_of_samples() => {
                let binary = Binary {
                    build_id: row.build_id.map(str::to_owned),
                    path: row.path.to_owned(),
                    kind,
                };
                let sums = self.binaries.entry(binary).or_default();
                sums.rows += 1;
                let sum = match record {
                    Record::Call => return Ok(()),
                    Record::Address => &mut sums.addresses,
                    Record::Stack => &mut sums.stacks,
                    _ => &mut sums.count,
                };
                *sum = sum.checked_add(row.count).ok_or_else(too_large)?;
                sums.mispredicted = sums.mispredicted.checked_add(row.mispredicted).ok_or_else(too_large)?;
                // A branch from one file to another has a row in each.
                if row.from.is_some() {
                    let event = self.events.entry(row.event.unwrap_or_default().to_owned()).or_default();
                    *event = event.checked_add(row.count).ok_or_else(too_large)?;
                }
            }
            (Record::Patch, _) if row.patch.and_then(parse_patch).is_none() => return wrong("patch", row.patch, PATCH),
            (Record::Ledger, _) => {
                let Some(what) = Loss::parse(row.path) else {
                    return wrong("path", Some(row.path), "a class of the ledger");
                };
                let sum = self.ledger.entry(what).or_default();
                *sum = sum.checked_add(row.count).ok_or_else(too_large)?;
            }
            _ => {}
        }
        Ok(())
    }
}
