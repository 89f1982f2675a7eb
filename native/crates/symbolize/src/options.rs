//! Where debug information is looked for.

use std::path::PathBuf;

/// Which references from the named file to another debug file are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowLinks {
    /// The build id, looked up as `<debug directory>/.build-id/xx/yyyy.debug`.
    pub build_id: bool,
    /// `.gnu_debuglink`: a file name and a CRC-32.
    pub debuglink: bool,
    /// No reference: a file of the same path below a debug directory, if it has the same build id. Debian installs the debug files of
    /// kernel modules so. LLVM does not look there.
    pub path: bool,
    /// `.gnu_debugaltlink`: the supplementary file that dwz makes (DWARF 5 section 7.3.6). LLVM does not
    /// read it, so functions whose names live there have no name for llvm-profgen.
    pub supplementary: bool,
    /// The `.dwo` files and the package of a program that was moved, beside the program; LLVM looks where the compiler put the files,
    /// and for a package beside the file that has the skeleton units.
    pub moved_split_units: bool,
}

impl FollowLinks {
    /// Follow everything.
    pub const ALL: Self = Self {
        build_id: true,
        debuglink: true,
        path: true,
        supplementary: true,
        moved_split_units: true,
    };
    /// What LLVM's symbolizer follows.
    pub const LLVM: Self = Self {
        path: false,
        supplementary: false,
        moved_split_units: false,
        ..Self::ALL
    };
    /// Stay with the named file.
    pub const NONE: Self = Self {
        build_id: false,
        debuglink: false,
        path: false,
        supplementary: false,
        moved_split_units: false,
    };
}

impl Default for FollowLinks {
    fn default() -> Self {
        Self::ALL
    }
}

/// Where debug information is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugOptions {
    /// A file whose DWARF stands for the profiled binary's, and its symbols for those that are stripped.
    pub debug_binary: Option<PathBuf>,
    /// The DWARF package with the split units; default `<binary>.dwp`.
    pub dwp: Option<PathBuf>,
    /// The roots of trees with separate debug files.
    pub debug_directories: Vec<PathBuf>,
    /// Which references to other files are followed.
    pub follow_links: FollowLinks,
    /// Whether `.zdebug_*` sections are read, the compressed sections of GNU tools before 2015. LLVM 22 does not know them.
    pub zdebug_sections: bool,
    /// Whether the function table, too, comes from a separate debug file when the named file has no DWARF of
    /// its own. llvm-profgen reads that table from the named file only, so a stripped binary gets no head
    /// samples and no zero counts there.
    pub function_table_follows_links: bool,
    /// Whether of functions that the linker folded into one that one counts whose lines the line table has. LLVM takes the name of the last
    /// one, whose lines these need not be.
    pub folded_functions_by_lines: bool,
}

impl Default for DebugOptions {
    fn default() -> Self {
        Self {
            debug_binary: None,
            dwp: None,
            debug_directories: vec![PathBuf::from("/usr/lib/debug")],
            follow_links: FollowLinks::ALL,
            zdebug_sections: true,
            function_table_follows_links: true,
            folded_functions_by_lines: true,
        }
    }
}
