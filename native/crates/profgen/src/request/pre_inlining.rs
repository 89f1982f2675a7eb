//! Thresholds and switches of the pre-inliner.

/// Thresholds of the pre-inliner. Fields and defaults are those of llvm-profgen's flags. Sizes are in bytes
/// of machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreInlining {
    // The comment of each field is one line, because test/api/defaults.test.ts reads the flag of the field from it.
    /// `--use-context-cost-for-preinliner`: sizes are sizes of code in its context, or else numbers of lines with counts.
    pub use_context_cost: bool,
    /// `--csspgo-replay-preinline`: inline the calls that were inlined in the profiled program.
    pub replay: bool,
    /// `--sort-profiled-scc-member`: among functions that call each other, begin with those that call most.
    pub sort_recursive: bool,
    /// `--csspgo-preinliner-multiplier-for-previous-inlining`: factor for the size of a hot callee inlined before.
    pub previously_inlined_multiplier: i32,
    /// `--sample-profile-hot-inline-threshold`: a hundredth of the greatest size of the callee of the hottest calls.
    pub hot_threshold: i32,
    /// `--sample-profile-cold-inline-threshold`: greatest size of the callee of a cold call.
    pub cold_threshold: i32,
    /// `--sample-profile-inline-growth-limit`: greatest size of a function with inlined calls, in multiples of its own.
    pub growth_limit: i32,
    /// `--sample-profile-inline-limit-min`: size up to which every function may grow.
    pub size_limit_min: i32,
    /// `--sample-profile-inline-limit-max`: size that no function may exceed by inlining.
    pub size_limit_max: i32,
}

impl Default for PreInlining {
    fn default() -> Self {
        Self {
            use_context_cost: true,
            replay: false,
            sort_recursive: true,
            previously_inlined_multiplier: 100,
            hot_threshold: 1500,
            cold_threshold: 0,
            growth_limit: 12,
            size_limit_min: 100,
            size_limit_max: 50_000,
        }
    }
}
