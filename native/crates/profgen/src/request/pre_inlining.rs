//! Thresholds and switches of the pre-inliner.

/// Thresholds of the pre-inliner; fields and defaults are those of llvm-profgen's flags. Sizes are in bytes of machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreInlining {
    /// `--use-context-cost-for-preinliner`: a function is as large as its code is where it is inlined. If not, as it has lines with counts.
    pub use_context_cost: bool,
    /// `--csspgo-replay-preinline`: inline what was inlined in the profiled program.
    pub replay: bool,
    /// `--sort-profiled-scc-member`: of functions that call each other, begin with those that call most.
    pub sort_recursive: bool,
    /// `--csspgo-preinliner-multiplier-for-previous-inlining`: how much larger a hot callee may be that was inlined before.
    pub previously_inlined_multiplier: i32,
    /// `--sample-profile-hot-inline-threshold`: a hundredth of the size that the callee of the hottest calls may have.
    pub hot_threshold: i32,
    /// `--sample-profile-cold-inline-threshold`: the size that the callee of a cold call may have.
    pub cold_threshold: i32,
    /// `--sample-profile-inline-growth-limit`: so many times its size a function may become.
    pub growth_limit: i32,
    /// `--sample-profile-inline-limit-min`: no function is kept smaller than this.
    pub size_limit_min: i32,
    /// `--sample-profile-inline-limit-max`: no function becomes larger than this.
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
