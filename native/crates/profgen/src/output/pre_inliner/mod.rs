//! The pre-inliner: decides which calls clang should inline, by counts and by the size of code, for the
//! program as a whole. A context stays below its caller if its call is to be inlined. All others are added up
//! in the function's own profile (LLVM: `CSPreInliner`).

mod heap;
mod order;
mod tree;

use std::cmp::Ordering;

use sampleprof::{Profile, ProfileSummary};

use crate::attribution::code_sizes::CodeSizes;
use crate::request::pre_inlining::PreInlining;
use heap::Heap;
use order::callers_first;
use tree::{NodeId, SamplesId, Tree};

/// Cut-off, in millionths, of the hottest counts.
const HOTTEST_CUTOFF: u32 = 100_000;

/// Keeps in `profile` the contexts that are worth inlining, and marks them. `cold` is the greatest count of a
/// cold call. Without `sizes`, the size of a function is its number of lines with counts.
pub(crate) fn pre_inline(
    profile: &mut Profile,
    sizes: Option<&CodeSizes>,
    summary: &ProfileSummary,
    cold: u64,
    options: &PreInlining,
) {
    let mut tree = Tree::new(profile);
    let order = callers_first(&tree, &profile.names, cold, options.sort_recursive);
    let inliner = PreInliner {
        sizes,
        cold,
        hottest: summary.count_at_cutoff(HOTTEST_CUTOFF).unwrap_or(0),
        options,
    };
    for function in order {
        if let Some(base) = tree.base_of(function, &profile.names) {
            inliner.inline_into(&mut tree, base);
        }
    }
    tree.drop_not_inlined();
    tree.finish(profile);
    profile.flags.pre_inlined = true;
}

/// A call that may be inlined.
#[derive(Clone, Copy)]
struct Candidate {
    callee: SamplesId,
    calls: u64,
    size: u32,
    guid: u64,
}

impl Candidate {
    /// Compares candidates. Those that cost nothing come first, then those that are called most, then the
    /// smallest.
    fn compare(&self, other: &Self) -> Ordering {
        let costs_nothing = (self.size == 0).cmp(&(other.size == 0));
        costs_nothing
            .then(self.calls.cmp(&other.calls))
            .then(other.size.cmp(&self.size))
            .then(self.guid.cmp(&other.guid))
    }
}

struct PreInliner<'a> {
    sizes: Option<&'a CodeSizes>,
    cold: u64,
    hottest: u64,
    options: &'a PreInlining,
}

impl PreInliner<'_> {
    /// Inlines calls of a function, and calls of the inlined functions, until the function is too large.
    fn inline_into(&self, tree: &mut Tree, base: NodeId) {
        let size = self.size(tree, base);
        let limit = size
            .wrapping_mul(self.options.growth_limit as u32)
            .min(self.options.size_limit_max as u32)
            .max(self.options.size_limit_min as u32);
        let mut final_size = size;
        let mut candidates = Heap::new();
        self.add_candidates(&mut candidates, tree, base);
        while final_size < limit {
            let Some(candidate) = candidates.pop(Candidate::compare) else {
                break;
            };
            let callee = tree.node_of(candidate.callee);
            if self.is_worth_it(tree, callee, candidate) {
                tree.mark_inlined(callee);
                final_size = final_size.wrapping_add(candidate.size);
                self.add_candidates(&mut candidates, tree, callee);
            }
        }
    }

    fn add_candidates(&self, candidates: &mut Heap<Candidate>, tree: &Tree, caller: NodeId) {
        for callee in tree.callees(caller) {
            let node = tree.node(callee);
            if let (Some(samples), Some(calls)) = (node.samples, tree.calls_of(callee)) {
                let candidate = Candidate {
                    callee: samples,
                    calls,
                    size: self.size(tree, callee),
                    guid: tree.guid(node.name),
                };
                candidates.push(candidate, Candidate::compare);
            }
        }
    }

    fn size(&self, tree: &Tree, node: NodeId) -> u32 {
        let Some(sizes) = self.sizes else {
            return tree.samples(node).map_or(0, |samples| samples.body.len() as u32);
        };
        let mut next = Some(node);
        let stack = std::iter::from_fn(|| {
            let node = tree.node(next.filter(|&node| node != Tree::ROOT)?);
            next = node.caller;
            Some((tree.guid(node.name), node.location))
        });
        sizes.of(stack)
    }

    /// Returns true if the callee is small enough. The more a call is taken, the larger the callee may be. If
    /// the threshold for cold calls is 0, as it is by default, no callee is small enough for a cold call. The
    /// arithmetic is LLVM's: floating-point numbers become 32 bits by way of 64.
    fn is_worth_it(&self, tree: &Tree, callee: NodeId, candidate: Candidate) -> bool {
        let attributes = tree.samples(callee).map_or(0, |samples| samples.attributes);
        let was_inlined = attributes & sampleprof::attribute::WAS_INLINED != 0;
        let options = self.options;
        if options.replay {
            return was_inlined;
        }
        let mut threshold = options.cold_threshold as u32;
        if candidate.calls > self.cold {
            let (lower, upper) = (self.cold as f64, self.hottest as f64);
            let hotness = (candidate.calls as f64 - lower) / (upper - lower);
            let hotness = if hotness > 1.0 { 1.0 } else { hotness };
            let scaled = f64::from(options.hot_threshold) * hotness * 100.0 + f64::from(options.cold_threshold) + 1.0;
            threshold = scaled as i64 as u32;
            if was_inlined {
                threshold = threshold.wrapping_mul(options.previously_inlined_multiplier as u32);
            }
        }
        candidate.size < threshold
    }
}
