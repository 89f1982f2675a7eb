//! The options with which a profile is written.

/// An encoding of sample profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// The text form, with one line for each count, for people.
    Text,
    /// LLVM's raw binary form: one name table and the functions after it.
    Binary,
    /// LLVM's extensible binary form, in sections. The form that compilers are given.
    #[default]
    ExtBinary,
}

/// How [`Format::ExtBinary`] stores [`Profile::symbols`](crate::Profile::symbols). The other forms cannot hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SymbolListEncoding {
    /// The list is left out.
    Omit,
    /// The list is written as it is, as llvm-profgen does.
    #[default]
    Plain,
    /// The list is written compressed.
    Compressed,
}

/// Options for writing a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The encoding of the profile.
    pub format: Format,
    /// True to write eight bytes of the MD5 hash of each name in place of the name. Only for [`Format::ExtBinary`].
    pub use_md5: bool,
    /// How the profile symbol list is stored.
    pub symbol_list: SymbolListEncoding,
    /// True to compress every section of [`Format::ExtBinary`].
    pub compress: bool,
    /// True to write functions into which nothing is inlined into sections of their own, in [`Format::ExtBinary`]. A
    /// compiler can leave these sections unread where it only wants functions that others inline (ThinLTO). Profiles
    /// with calling contexts have no such layout.
    pub split_layout: bool,
}
