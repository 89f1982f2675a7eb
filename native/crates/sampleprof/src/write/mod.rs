mod order;

use thiserror::Error;

use crate::{MAX_INLINE_DEPTH, Profile, binary, extbinary, text};
pub(crate) use order::{TargetSorter, WriteOrder, check_name};

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
    /// Readers refuse line offsets of more than 16 bits.
    #[error("{name:?} has counts at line offset {line_offset}; at most 65535 can be written")]
    LineOffset {
        /// The function, which may be inlined.
        name: String,
        /// The offset.
        line_offset: u32,
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
/// attributes of `extbinary` in the order of a hash table, and drops attributes if no function should be inlined.
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
