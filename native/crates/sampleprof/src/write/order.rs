use std::cmp::Reverse;

use super::error::WriteError;
use crate::{CallTarget, FunctionSamples, MAX_INLINE_DEPTH, NameId, Profile};

/// The order in which names and functions of a profile are written.
pub(crate) struct WriteOrder {
    /// The names in use, ascending: the name table.
    pub(crate) names: Vec<NameId>,
    /// For each name of the profile its position in `names`; comparing positions compares names.
    ranks: Vec<u32>,
    /// Positions in [`Profile::functions`], by total descending, then name.
    functions: Vec<u32>,
    /// Whether any function has attributes.
    pub(crate) has_attributes: bool,
}

/// The largest line offset of a body record (LLVM: `isOffsetLegal`).
const MAX_LINE_OFFSET: u32 = 0xffff;

/// A rank that stands for a name nothing refers to.
const UNUSED: u32 = u32::MAX;

impl WriteOrder {
    pub(super) fn new(profile: &Profile) -> Result<Self, WriteError> {
        let mut survey = Survey {
            profile,
            used: vec![false; profile.names.len()],
            has_attributes: false,
        };
        for function in &profile.functions {
            survey.add(function, 0)?;
        }
        let Survey {
            used, has_attributes, ..
        } = survey;
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
        functions.sort_unstable_by_key(|&position| {
            let function = &profile.functions[position as usize];
            (Reverse(function.total), ranks[function.name.index()])
        });
        Ok(Self {
            names,
            ranks,
            functions,
            has_attributes,
        })
    }

    /// Position of a used name in the name table.
    pub(crate) fn rank(&self, name: NameId) -> u32 {
        self.ranks[name.index()]
    }

    /// The functions in the order of writing.
    pub(crate) fn functions<'a>(&'a self, profile: &'a Profile) -> impl Iterator<Item = &'a FunctionSamples> {
        self.functions
            .iter()
            .map(|&position| &profile.functions[position as usize])
    }

    /// Refuses names that hold `terminator`.
    pub(crate) fn check_names(&self, profile: &Profile, terminator: u8) -> Result<(), WriteError> {
        for &id in &self.names {
            check_name(profile, id, terminator)?;
        }
        Ok(())
    }
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

/// What has to be known of a profile before any of it can be written.
struct Survey<'a> {
    profile: &'a Profile,
    used: Vec<bool>,
    has_attributes: bool,
}

impl Survey<'_> {
    fn add(&mut self, function: &FunctionSamples, depth: usize) -> Result<(), WriteError> {
        let name = || self.profile.names.get(function.name).to_string();
        if depth > MAX_INLINE_DEPTH {
            return Err(WriteError::TooDeep { name: name() });
        }
        // Records ascend.
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
        self.has_attributes |= function.attributes != 0;
        function
            .inlinees
            .iter()
            .try_for_each(|(_, callee)| self.add(callee, depth + 1))
    }
}

/// Sorts call targets as all forms have them, by count descending, then name, into a buffer that is used again.
#[derive(Default)]
pub(crate) struct TargetSorter {
    sorted: Vec<(u64, u32)>,
}

impl TargetSorter {
    /// Counts and name ranks of `targets` in the order of writing.
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
