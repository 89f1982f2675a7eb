use std::cmp::Reverse;

use super::error::WriteError;
use crate::{CallTarget, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, Profile};

/// The order in which names and functions of a profile are written.
pub(crate) struct WriteOrder {
    /// The names in use, ascending. This is the name table.
    pub(crate) names: Vec<NameId>,
    /// For each name of the profile, its position in `names`. Comparing these positions compares the names.
    ranks: Vec<u32>,
    /// Positions in [`Profile::functions`], by total descending, then by name and context.
    functions: Vec<u32>,
    /// Positions in [`Profile::functions`], ordered by context alone, in a context-sensitive profile. This is the
    /// table of contexts.
    contexts: Vec<u32>,
    /// For each element of [`Profile::functions`], its position in `contexts`. Empty in a profile without contexts.
    context_ranks: Vec<u32>,
}

/// The largest line offset of a body record (LLVM: `isOffsetLegal`).
const MAX_LINE_OFFSET: u32 = 0xffff;

/// The rank of a name that nothing refers to.
const UNUSED: u32 = u32::MAX;

impl WriteOrder {
    pub(super) fn new(profile: &Profile) -> Result<Self, WriteError> {
        let mut survey = Survey {
            profile,
            used: vec![false; profile.names.len()],
        };
        for function in &profile.functions {
            survey.add(function, 0)?;
            survey.add_callers(function)?;
        }
        let used = survey.used;
        let mut names: Vec<NameId> = profile
            .names
            .iter()
            .map(|(id, _)| id)
            .filter(|id| used[id.index()])
            .collect();
        names.sort_unstable_by(|&a, &b| profile.names.get(a).cmp(&profile.names.get(b)));
        let mut ranks = vec![UNUSED; profile.names.len()];
        for (rank, name) in (0..).zip(&names) {
            ranks[name.index()] = rank;
        }
        let mut functions: Vec<u32> = (0..).zip(&profile.functions).map(|(position, _)| position).collect();
        let contexts = if profile.flags.context_sensitive {
            by_context(profile, &ranks)
        } else {
            Vec::new()
        };
        let mut context_ranks = vec![0; contexts.len()];
        for (rank, &position) in (0..).zip(&contexts) {
            context_ranks[position as usize] = rank;
        }
        functions.sort_unstable_by_key(|&position| {
            let function = &profile.functions[position as usize];
            let rank = context_ranks
                .get(position as usize)
                .unwrap_or(&ranks[function.name.index()]);
            (Reverse(function.total), *rank)
        });
        Ok(Self {
            names,
            ranks,
            functions,
            contexts,
            context_ranks,
        })
    }

    /// Returns the position of a name in the name table. The name must be in use.
    pub(crate) fn rank(&self, name: NameId) -> u32 {
        self.ranks[name.index()]
    }

    /// Iterates over the functions in the order of writing.
    pub(crate) fn functions<'a>(&'a self, profile: &'a Profile) -> impl Iterator<Item = Ranked<'a>> {
        self.functions.iter().map(|&position| self.ranked(profile, position))
    }

    /// Iterates over the functions of a context-sensitive profile in the order of their contexts, which is the order
    /// of their ranks.
    pub(crate) fn contexts<'a>(&'a self, profile: &'a Profile) -> impl Iterator<Item = &'a FunctionSamples> {
        self.contexts
            .iter()
            .map(|&position| &profile.functions[position as usize])
    }

    fn ranked<'a>(&self, profile: &'a Profile, position: u32) -> Ranked<'a> {
        let function = &profile.functions[position as usize];
        let rank = match self.context_ranks.get(position as usize) {
            Some(&rank) => rank,
            None => self.rank(function.name),
        };
        Ranked { rank, function }
    }

    /// Refuses names that hold `terminator`.
    pub(crate) fn check_names(&self, profile: &Profile, terminator: u8) -> Result<(), WriteError> {
        for &id in &self.names {
            check_name(profile, id, terminator)?;
        }
        Ok(())
    }
}

/// A function that is not inlined, with its rank.
pub(crate) struct Ranked<'a> {
    /// The index of the function in the binary forms: its position in the table of contexts, or in the name table if
    /// there are no contexts.
    pub(crate) rank: u32,
    pub(crate) function: &'a FunctionSamples,
}

/// Returns the positions of the functions in the order of [`crate::FullName`]. Compares `ranks` in place of names.
fn by_context(profile: &Profile, ranks: &[u32]) -> Vec<u32> {
    let frames = |position: u32| {
        let function = &profile.functions[position as usize];
        let callers = profile.contexts.get(function.context).iter();
        callers
            .map(|frame| (ranks[frame.function.index()], frame.location))
            .chain(std::iter::once((ranks[function.name.index()], LineLocation::default())))
    };
    let mut positions: Vec<u32> = (0..).zip(&profile.functions).map(|(position, _)| position).collect();
    positions.sort_unstable_by(|&a, &b| frames(a).cmp(frames(b)));
    positions
}

/// Refuses a name that holds `terminator`.
pub(crate) fn check_name(profile: &Profile, id: NameId, terminator: u8) -> Result<(), WriteError> {
    let name = profile.names.get(id);
    match name.text() {
        Some(text) if memchr::memchr(terminator, text).is_some() => Err(WriteError::NameHoldsTerminator {
            name: name.to_string(),
            byte: terminator,
        }),
        _ => Ok(()),
    }
}

/// Facts about a profile that must be known before any part of it can be written.
struct Survey<'a> {
    profile: &'a Profile,
    used: Vec<bool>,
}

impl Survey<'_> {
    fn add_callers(&mut self, function: &FunctionSamples) -> Result<(), WriteError> {
        for frame in self.profile.contexts.get(function.context) {
            self.used[frame.function.index()] = true;
            if frame.location.line_offset > MAX_LINE_OFFSET {
                return Err(WriteError::LineOffset {
                    name: self.profile.names.get(frame.function).to_string(),
                    line_offset: frame.location.line_offset,
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, function: &FunctionSamples, depth: usize) -> Result<(), WriteError> {
        let name = || self.profile.names.get(function.name).to_string();
        if depth > MAX_INLINE_DEPTH {
            return Err(WriteError::TooDeep { name: name() });
        }
        // Records ascend, so the last record has the largest line offset.
        if let Some(record) = function
            .body
            .last()
            .filter(|record| record.location.line_offset > MAX_LINE_OFFSET)
        {
            return Err(WriteError::LineOffset {
                name: name(),
                line_offset: record.location.line_offset,
            });
        }
        self.used[function.name.index()] = true;
        for target in function.body.iter().flat_map(|record| &record.targets) {
            self.used[target.name.index()] = true;
        }
        function
            .inlinees
            .iter()
            .try_for_each(|(_, callee)| self.add(callee, depth + 1))
    }
}

/// Sorts call targets by count descending, then by name, as all forms store them. The buffer is used again for each
/// record.
#[derive(Default)]
pub(crate) struct TargetSorter {
    sorted: Vec<(u64, u32)>,
}

impl TargetSorter {
    /// Returns the counts and name ranks of `targets` in the order of writing.
    pub(crate) fn sort(&mut self, targets: &[CallTarget], order: &WriteOrder) -> &[(u64, u32)] {
        self.sorted.clear();
        self.sorted
            .extend(targets.iter().map(|target| (target.count, order.rank(target.name))));
        if targets.len() > 1 {
            self.sorted
                .sort_unstable_by_key(|&(count, rank)| (Reverse(count), rank));
        }
        &self.sorted
    }
}
