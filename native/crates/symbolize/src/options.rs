//! Options of the search for debug information.

use std::path::PathBuf;

/// The references from the named file to other debug files that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowLinks {
    /// True to look up the build id, as `<debug directory>/.build-id/xx/yyyy.debug`.
    pub build_id: bool,
    /// True to follow `.gnu_debuglink`: a file name and a CRC-32.
    pub debuglink: bool,
    /// True to look for a file of the same path below a debug directory. The file must have the same build id. No
    /// reference leads to it. Debian installs the debug files of kernel modules in this way. LLVM does not look
    /// there.
    pub path: bool,
    /// True to follow `.gnu_debugaltlink` to the supplementary file that dwz makes (DWARF 5 section 7.3.6). LLVM
    /// does not read this file, so llvm-profgen has no names for functions whose names are in it.
    pub supplementary: bool,
    /// True to look for the `.dwo` files and the package of a program that was moved beside the program. LLVM looks
    /// where the compiler put the files, and for a package beside the file that has the skeleton units.
    pub moved_split_units: bool,
}

impl FollowLinks {
    /// The options that follow all references.
    pub const ALL: Self = Self {
        build_id: true,
        debuglink: true,
        path: true,
        supplementary: true,
        moved_split_units: true,
    };
    /// The options that follow the references that LLVM's symbolizer follows.
    pub const LLVM: Self = Self {
        path: false,
        supplementary: false,
        moved_split_units: false,
        ..Self::ALL
    };
    /// The options that follow no reference.
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

/// The places where debug information is looked for, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugOptions {
    /// Path of a file whose DWARF is used for the profiled binary, and whose symbols are used if the binary is
    /// stripped.
    pub debug_binary: Option<PathBuf>,
    /// Path of the DWARF package with the split units; the default is `<binary>.dwp`.
    pub dwp: Option<PathBuf>,
    /// Roots of the trees that have separate debug files.
    pub debug_directories: Vec<PathBuf>,
    /// References to other files that are followed.
    pub follow_links: FollowLinks,
    /// True to read `.zdebug_*` sections, the compressed sections of GNU tools before 2015. LLVM 22 does not read
    /// them.
    pub zdebug_sections: bool,
    /// True to read the function table, too, from a separate debug file if the named file has no DWARF.
    /// llvm-profgen reads the function table from the named file only, so its profile of a stripped binary has no
    /// head samples and no zero counts.
    pub function_table_follows_links: bool,
    /// True to use the name of the function whose lines the line table has, among functions that the linker folded
    /// into one. LLVM uses the name of the last function, which may have other lines.
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
