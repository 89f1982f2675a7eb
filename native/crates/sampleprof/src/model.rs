use std::num::NonZeroU64;

use crate::write::Format;
use crate::{ContextId, ContextTable, LineLocation, NameId, NameTable};

/// Largest depth of inlining in a profile that is read or written.
///
/// Profiles are trees, and code that walks a tree recurses, so the input must not choose the depth. Compilers stop
/// inlining long before: depths above 50 are rare.
pub const MAX_INLINE_DEPTH: usize = 1024;

/// Bits of [`FunctionSamples::attributes`] (`ContextAttributeMask` in `SampleProf.h`).
pub mod attribute {
    /// The last function of the context was inlined in the profiled build.
    pub const WAS_INLINED: u32 = 1;
    /// The pre-inliner decided that the last function of the context should be inlined.
    pub const SHOULD_BE_INLINED: u32 = 2;
    /// The counts are also part of the profile of the function without context, so a summary must not count them
    /// again.
    pub const DUPLICATED_INTO_BASE: u32 = 4;
}

/// The number of calls from one location to one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTarget {
    /// Name of the callee.
    pub name: NameId,
    /// Number of calls.
    pub count: u64,
}

/// The counts at one location of a function's own code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyRecord {
    /// Location in the function.
    pub location: LineLocation,
    /// Number of executions of the code at the location.
    pub count: u64,
    /// Callees of the calls at the location, each once, in no particular order. Writers sort them.
    pub targets: Vec<CallTarget>,
}

/// The counts of one function, or of one inlined copy of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSamples {
    /// Name of the function.
    pub name: NameId,
    /// Callers of the function, in a context-sensitive profile. Empty for inlined functions.
    pub context: ContextId,
    /// Number of samples in the function, inlined callees included.
    pub total: u64,
    /// Number of times that the function was entered. Only meaningful for a function that is not inlined.
    pub head: u64,
    /// Records of the function's own code, ascending by location, with each location once.
    pub body: Vec<BodyRecord>,
    /// Callees inlined into the function, ascending by call site, then by name, with each such pair once.
    pub inlinees: Vec<(LineLocation, FunctionSamples)>,
    /// Checksum of the control flow graph that the probes of a [`ProfileFlags::probe_based`] profile belong to. `None`
    /// if the checksum is not known; the formats store 0 then.
    pub checksum: Option<NonZeroU64>,
    /// Bits of [`attribute`]. The extbinary form stores these bits if the profile is
    /// [pre-inlined](ProfileFlags::pre_inlined) or [context-sensitive](ProfileFlags::context_sensitive).
    pub attributes: u32,
}

// Profiles hold many of these, so their size in bytes must not grow unnoticed.
const _: () = assert!(size_of::<FunctionSamples>() == 88);

impl FunctionSamples {
    /// Makes a function without any counts.
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

    /// Calls `visit` for this function and for everything inlined into it, callers first.
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
    /// True if discriminators are the 32 bits of flow-sensitive AutoFDO.
    pub fs_discriminators: bool,
    /// True if locations are pseudo probes and functions have checksums.
    pub probe_based: bool,
    /// True if the pre-inliner of llvm-profgen has chosen what to inline.
    pub pre_inlined: bool,
    /// True if functions are told apart by their calling contexts. Nothing is inlined into them then.
    pub context_sensitive: bool,
    /// True if the counts of a function without a profile are unknown. Otherwise such a function is cold.
    pub partial: bool,
}

/// A property of a profile that only the extbinary encoding can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Stands for [`ProfileFlags::partial`].
    Partial,
    /// Stands for [`ProfileFlags::fs_discriminators`].
    FlowSensitive,
    /// Stands for [`ProfileFlags::pre_inlined`].
    PreInlined,
}

impl Profile {
    /// Returns the properties of this profile that the encoding `format` cannot hold.
    #[must_use]
    pub fn marks_lost_in(&self, format: Format) -> Vec<Mark> {
        if format == Format::ExtBinary {
            return Vec::new();
        }
        let flags = self.flags;
        // A text profile with a function that is marked for inlining is read as a pre-inlined profile.
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
    /// Names that the ids in `functions` and `symbols` stand for. The table may hold names that nothing refers to.
    pub names: NameTable,
    /// Contexts that the ids in `functions` stand for.
    pub contexts: ContextTable,
    /// Functions that are not inlined, each once in each context, in any order. Writers sort them by total, context
    /// and name.
    pub functions: Vec<FunctionSamples>,
    /// Properties of the profile as a whole.
    pub flags: ProfileFlags,
    /// Functions of the profiled program, with samples or without (LLVM's profile symbol list), in any order. `None`
    /// if the profile has no such list.
    pub symbols: Option<Vec<NameId>>,
}

impl Profile {
    /// Makes a profile without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the names in `list`, one on each line, to the profile symbol list (`llvm-profdata merge --prof-sym-list`).
    pub fn add_symbols(&mut self, list: &[u8]) {
        let lines = list.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let symbols = self.symbols.get_or_insert_default();
        symbols.extend(lines.map(|line| self.names.intern(line.trim_ascii())));
    }

    /// Returns the functions that have a count of 2^64-1, in their own code or in inlined code. Sums saturate at that
    /// count, so the true count was larger.
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

    /// Returns the sum of all body counts, inlined code included. The sum can exceed 64 bits.
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

    /// Calls `visit` for every function and every inlined copy of a function.
    pub fn walk<'a>(&'a self, mut visit: impl FnMut(&'a FunctionSamples)) {
        for function in &self.functions {
            function.walk(&mut visit);
        }
    }
}
