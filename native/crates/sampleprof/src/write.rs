use thiserror::Error;

use crate::{FunctionSamples, MAX_INLINE_DEPTH, NameId, Profile, binary, extbinary, text};

/// An encoding of sample profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// One line a count, for people.
    Text,
    /// LLVM's raw binary form: one name table and the functions after it.
    Binary,
    /// LLVM's extensible binary form, in sections. What compilers are given.
    #[default]
    ExtBinary,
}

/// What becomes of [`Profile::symbols`] in [`Format::ExtBinary`]; the other forms cannot hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SymbolListEncoding {
    /// Left out.
    Omit,
    /// Written as it is, as llvm-profgen does.
    #[default]
    Plain,
    /// Written compressed.
    Compressed,
}

/// How to write a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The encoding.
    pub format: Format,
    /// Write eight bytes of each name's MD5 instead of the name. Only [`Format::ExtBinary`] can.
    pub use_md5: bool,
    /// The profile symbol list.
    pub symbol_list: SymbolListEncoding,
    /// Compress every section of [`Format::ExtBinary`].
    pub compress: bool,
}

/// Why a profile cannot be written in some form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The raw binary form has no place for checksums or contexts.
    #[error("the raw binary format cannot hold a {0} profile; use extbinary or text")]
    UnsupportedInBinary(&'static str),
    /// The name holds the byte that ends a name.
    #[error("the name {name:?} holds byte {byte:#04x}, which ends a name in this format")]
    NameHoldsTerminator {
        /// The name.
        name: String,
        /// The byte.
        byte: u8,
    },
    /// More than [`MAX_INLINE_DEPTH`] levels.
    #[error("{name:?} has inlining nested deeper than {MAX_INLINE_DEPTH} levels")]
    TooDeep {
        /// The function that is not inlined.
        name: String,
    },
    /// Context-sensitive profiles can be read but not written.
    #[error("context-sensitive profiles cannot be written")]
    ContextSensitive,
}

/// The bytes of `profile` in the chosen encoding.
///
/// They depend on nothing but the arguments, and equal what LLVM 22 writes, except that LLVM stores the checksums and
/// attributes of `extbinary` in the order of a hash table.
///
/// # Errors
/// When the encoding cannot hold the profile.
pub fn write(profile: &Profile, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    if profile.flags.context_sensitive {
        return Err(WriteError::ContextSensitive);
    }
    let order = WriteOrder::new(profile)?;
    match options.format {
        Format::Text => text::write(profile, &order),
        Format::Binary => binary::write(profile, &order),
        Format::ExtBinary => extbinary::write(profile, &order, options),
    }
}

/// The order in which names and functions of a profile are written.
pub(crate) struct WriteOrder {
    /// The names in use, ascending: the name table.
    pub(crate) names: Vec<NameId>,
    /// For each name of the profile its position in `names`; comparing positions compares names.
    ranks: Vec<u32>,
    /// Positions in [`Profile::functions`], by total descending, then name.
    functions: Vec<u32>,
}

/// A rank that stands for a name nothing refers to.
const UNUSED: u32 = u32::MAX;

impl WriteOrder {
    fn new(profile: &Profile) -> Result<Self, WriteError> {
        let mut used = vec![false; profile.names.len()];
        for function in &profile.functions {
            if !mark_names(function, &mut used, 0) {
                return Err(WriteError::TooDeep {
                    name: profile.names.get(function.name).to_string(),
                });
            }
        }
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
            (std::cmp::Reverse(function.total), ranks[function.name.index()])
        });
        Ok(Self {
            names,
            ranks,
            functions,
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

/// Marks the names that a function refers to; false if it nests too deep.
fn mark_names(function: &FunctionSamples, used: &mut [bool], depth: usize) -> bool {
    used[function.name.index()] = true;
    for target in function.body.iter().flat_map(|record| &record.targets) {
        used[target.name.index()] = true;
    }
    depth <= MAX_INLINE_DEPTH
        && function
            .inlinees
            .iter()
            .all(|(_, callee)| mark_names(callee, used, depth + 1))
}

/// Sorts call targets as all forms have them, by count descending, then name, into a buffer that is used again.
#[derive(Default)]
pub(crate) struct TargetSorter {
    sorted: Vec<(u64, u32)>,
}

impl TargetSorter {
    /// Counts and name ranks of `targets` in the order of writing.
    pub(crate) fn sort(&mut self, targets: &[crate::CallTarget], order: &WriteOrder) -> &[(u64, u32)] {
        self.sorted.clear();
        self.sorted
            .extend(targets.iter().map(|target| (target.count, order.rank(target.name))));
        if targets.len() > 1 {
            self.sorted
                .sort_unstable_by_key(|&(count, rank)| (std::cmp::Reverse(count), rank));
        }
        &self.sorted
    }
}
