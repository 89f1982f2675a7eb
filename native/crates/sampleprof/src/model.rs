use std::num::NonZeroU64;

use crate::write::Format;
use crate::{ContextId, ContextTable, LineLocation, NameId, NameTable};

/// How deep inlining may nest in a profile that is read or written.
///
/// Profiles are trees and walking one recurses, so input must not choose the depth. Compilers stop inlining long
/// before: depths above 50 are rare.
pub const MAX_INLINE_DEPTH: usize = 1024;

/// Bits of [`FunctionSamples::attributes`] (`ContextAttributeMask` in `SampleProf.h`).
pub mod attribute {
    /// The leaf of the context was inlined in the profiled build.
    pub const WAS_INLINED: u32 = 1;
    /// The pre-inliner decided that the leaf should be inlined.
    pub const SHOULD_BE_INLINED: u32 = 2;
    /// The counts are also part of the function's own profile, so a summary must not count them again.
    pub const DUPLICATED_INTO_BASE: u32 = 4;
}

/// How often a call at some location went to one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTarget {
    /// The callee.
    pub name: NameId,
    /// How often.
    pub count: u64,
}

/// What was counted at one location of a function's own code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyRecord {
    /// Where.
    pub location: LineLocation,
    /// How often it was executed.
    pub count: u64,
    /// Callees seen there, each once, in no particular order; writers sort them.
    pub targets: Vec<CallTarget>,
}

/// Counts of one function, or of one inlined copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSamples {
    /// The function.
    pub name: NameId,
    /// Who called it, in a context-sensitive profile; of functions that are not inlined.
    pub context: ContextId,
    /// Samples in it, inlined callees included.
    pub total: u64,
    /// How often it was entered. Only meaningful for a function that is not inlined.
    pub head: u64,
    /// Own code, ascending by location, no location twice.
    pub body: Vec<BodyRecord>,
    /// Callees inlined into it, ascending by call site, then name; no such pair twice.
    pub inlinees: Vec<(LineLocation, FunctionSamples)>,
    /// Checksum of the control flow graph that the probes of [`ProfileFlags::probe_based`] profiles belong to; the
    /// formats have a zero where it is not known.
    pub checksum: Option<NonZeroU64>,
    /// Bits of [`attribute`]. The extbinary form has them if the profile is [pre-inlined](ProfileFlags::pre_inlined) or
    /// [context-sensitive](ProfileFlags::context_sensitive).
    pub attributes: u32,
}

// Profiles without contexts take no more memory than if there were none: without alignment, nothing is left.
const _: () = assert!(size_of::<FunctionSamples>() == 88);

impl FunctionSamples {
    /// A function without any counts.
    #[must_use]
    pub const fn new(name: NameId) -> Self {
        Self {
            name,
            context: ContextId::BASE,
            total: 0,
            head: 0,
            body: Vec::new(),
            inlinees: Vec::new(),
            checksum: None,
            attributes: 0,
        }
    }

    /// Calls `visit` for this function and everything inlined into it, callers first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for (_, inlinee) in &self.inlinees {
            inlinee.walk(visit);
        }
    }
}

/// Properties of a profile as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileFlags {
    /// Discriminators are the 32 bits of flow-sensitive AutoFDO.
    pub fs_discriminators: bool,
    /// Locations are pseudo probes and functions have checksums.
    pub probe_based: bool,
    /// The pre-inliner of llvm-profgen has chosen what to inline.
    pub pre_inlined: bool,
    /// Functions are told apart by their calling contexts, and nothing is inlined into them.
    pub context_sensitive: bool,
    /// A function without a profile is unknown instead of cold.
    pub partial: bool,
}

/// A property of a profile that only the extbinary encoding can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// See [`ProfileFlags::partial`].
    Partial,
    /// See [`ProfileFlags::fs_discriminators`].
    FlowSensitive,
    /// See [`ProfileFlags::pre_inlined`].
    PreInlined,
}

impl Profile {
    /// Those of the properties that an encoding cannot hold.
    #[must_use]
    pub fn marks_lost_in(&self, format: Format) -> Vec<Mark> {
        if format == Format::ExtBinary {
            return Vec::new();
        }
        let flags = self.flags;
        // In text, a function that is marked for inlining says that the profile is pre-inlined.
        let says_pre_inlined = format == Format::Text && self.has_attribute(attribute::SHOULD_BE_INLINED);
        let marks = [
            (flags.partial, Mark::Partial),
            (flags.fs_discriminators, Mark::FlowSensitive),
            (flags.pre_inlined && !says_pre_inlined, Mark::PreInlined),
        ];
        marks
            .into_iter()
            .filter_map(|(set, mark)| set.then_some(mark))
            .collect()
    }

    fn has_attribute(&self, bit: u32) -> bool {
        let mut found = false;
        self.walk(|function| found |= function.attributes & bit != 0);
        found
    }
}

/// A sample profile.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// What the ids in `functions` and `symbols` stand for. It may hold names that nothing refers to.
    pub names: NameTable,
    /// What the contexts of `functions` stand for.
    pub contexts: ContextTable,
    /// Functions that are not inlined, each once in each context, in any order; writers sort by total, context and name.
    pub functions: Vec<FunctionSamples>,
    /// Properties of the whole.
    pub flags: ProfileFlags,
    /// Functions of the profiled program, with samples or without (LLVM's profile symbol list), in any order.
    pub symbols: Option<Vec<NameId>>,
}

impl Profile {
    /// A profile without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds to the profile symbol list what a file lists, one name a line
    /// (`llvm-profdata merge --prof-sym-list`).
    pub fn add_symbols(&mut self, list: &[u8]) {
        let lines = list.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let symbols = self.symbols.get_or_insert_default();
        symbols.extend(lines.map(|line| self.names.intern(line.trim_ascii())));
    }

    /// The functions, inlined code included, with a count at the limit of 64 bits, where counts stop when they are added up: the true
    /// count was larger.
    #[must_use]
    pub fn overflowed(&self) -> Vec<NameId> {
        let is_full = |function: &FunctionSamples| {
            let mut full = function.head == u64::MAX;
            function.walk(&mut |part| {
                full |= part.total == u64::MAX
                    || part.body.iter().any(|record| {
                        record.count == u64::MAX || record.targets.iter().any(|target| target.count == u64::MAX)
                    });
            });
            full
        };
        let full = self.functions.iter().filter(|function| is_full(function));
        full.map(|function| function.name).collect()
    }

    /// The sum of all body counts, which can exceed 64 bits, as what is inlined counts with the rest.
    #[must_use]
    pub fn total_count(&self) -> u128 {
        let mut total = 0;
        self.walk(|function| {
            total += function
                .body
                .iter()
                .map(|record| u128::from(record.count))
                .sum::<u128>();
        });
        total
    }

    /// Calls `visit` for every function and inlined copy.
    pub fn walk<'a>(&'a self, mut visit: impl FnMut(&'a FunctionSamples)) {
        for function in &self.functions {
            function.walk(&mut visit);
        }
    }
}
