use crate::combine::{Checksums, merge_same_functions};
use crate::positions::{FunctionKey, Positions};
use crate::{FunctionSamples, Profile};

/// Options for cold contexts (LLVM: `SampleContextTrimmer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColdContexts {
    /// Contexts with a total below this number are cold. With 0, no context is cold.
    pub threshold: u64,
    /// True to add up cold contexts with the same last frames. Otherwise cold contexts are dropped.
    pub merge: bool,
    /// True to drop contexts that are still cold when added up, and that cannot be added to a warm context.
    pub trim: bool,
    /// Number of last frames, the function itself included, that stay of contexts that are added up; at least 1.
    pub frames: usize,
    /// True if only functions without callers can be cold. Has no effect if [`ColdContexts::merge`] is set.
    pub base_only: bool,
}

impl Profile {
    /// Adds up or drops cold contexts. Returns the number of contexts that were dropped, including those left out
    /// because of their checksums.
    pub fn merge_cold_contexts(&mut self, options: ColdContexts) -> u64 {
        let ColdContexts {
            threshold,
            merge,
            trim,
            frames,
            base_only,
        } = options;
        if !(merge || trim) || threshold == 0 {
            return 0;
        }
        let is_cold = |function: &FunctionSamples| {
            let base = self.contexts.get(function.context).is_empty();
            function.total < threshold && (merge || !base_only || base)
        };
        let (mut cold, warm): (Vec<_>, Vec<_>) = std::mem::take(&mut self.functions).into_iter().partition(is_cold);
        self.functions = warm;
        if !merge {
            return cold.len() as u64;
        }
        // The order decides which version of a function comes first, and so which checksums are left out.
        cold.sort_by(|a, b| self.full_name(a).cmp(&self.full_name(b)));
        for function in &mut cold {
            let callers = self.contexts.get(function.context);
            let kept = callers.len().min(frames.saturating_sub(1));
            let last = callers[callers.len() - kept..].to_vec();
            function.context = self.contexts.intern(&last);
            // The attributes describe the context, which is removed.
            function.attributes = 0;
        }
        let mut dropped = merge_same_functions(&mut cold, &self.names, Checksums::Match);
        if trim {
            let mut positions = Positions::new(self.names.len());
            for (position, function) in self.functions.iter().enumerate() {
                positions.find_or_insert(FunctionKey::of(function), position);
            }
            let before = cold.len();
            cold.retain(|function| function.total >= threshold || positions.get(FunctionKey::of(function)).is_some());
            dropped += (before - cold.len()) as u64;
        }
        self.functions.append(&mut cold);
        dropped + merge_same_functions(&mut self.functions, &self.names, Checksums::Match)
    }
}
