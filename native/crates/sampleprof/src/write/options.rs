//! How a profile is written.

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

/// What becomes of [`Profile::symbols`](crate::Profile::symbols) in [`Format::ExtBinary`]; the other forms cannot hold them.
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
    /// [`Format::ExtBinary`]: functions into which nothing is inlined have sections of their own, which a compiler can leave unread
    /// where it only wants what others inline (ThinLTO). Profiles with calling contexts have no such layout.
    pub split_layout: bool,
}
