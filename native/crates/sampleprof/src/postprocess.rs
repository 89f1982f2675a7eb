//! Steps that llvm-profgen applies to a profile between counting and writing.

use crate::{FunctionSamples, Profile};

/// Prefixes of the names of functions that initialise a program. Each translation unit has its own functions under the
/// same names, so a profile cannot tell these functions apart (llvm-profgen:
/// `ProfileGeneratorBase::filterAmbiguousProfile`).
const AMBIGUOUS_PREFIXES: [&[u8]; 2] = [b"__cxx_global_var_init", b"__tls_init"];

impl Profile {
    /// Raises each body count of a function that is not inlined to the sum of the call targets of its record.
    ///
    /// A branch that was recorded at an instruction proves that the instruction was executed, even if no range covers
    /// it (LLVM: `FunctionSamples::updateCallsiteSamples`, which does not descend into inlinees).
    pub fn raise_callsites(&mut self) {
        for record in self.functions.iter_mut().flat_map(|function| &mut function.body) {
            // This sum wraps, as it does in LLVM.
            let calls = record
                .targets
                .iter()
                .fold(0u64, |sum, target| sum.wrapping_add(target.count));
            record.count = record.count.max(calls);
        }
    }

    /// Sets every total to the sum of the body counts and the totals of the inlinees.
    pub fn update_total_samples(&mut self) {
        for function in &mut self.functions {
            update_total(function);
        }
    }

    /// Removes functions with fewer than `threshold` samples.
    pub fn trim_cold(&mut self, threshold: u64) {
        self.functions.retain(|function| function.total >= threshold);
    }

    /// Removes static initialisers, inlined ones included. The totals of their callers stay as they are.
    pub fn remove_ambiguous_initializers(&mut self) {
        let ambiguous: Vec<bool> = self
            .names
            .iter()
            .map(|(_, name)| {
                name.text()
                    .is_some_and(|text| AMBIGUOUS_PREFIXES.iter().any(|prefix| text.starts_with(prefix)))
            })
            .collect();
        if !ambiguous.contains(&true) {
            return;
        }
        self.functions.retain(|function| !ambiguous[function.name.index()]);
        for function in &mut self.functions {
            remove_inlinees(function, &ambiguous);
        }
    }
}

fn update_total(function: &mut FunctionSamples) -> u64 {
    let own = function
        .body
        .iter()
        .fold(0u64, |sum, record| sum.saturating_add(record.count));
    function.total = function
        .inlinees
        .iter_mut()
        .fold(own, |sum, (_, callee)| sum.saturating_add(update_total(callee)));
    function.total
}

fn remove_inlinees(function: &mut FunctionSamples, ambiguous: &[bool]) {
    function.inlinees.retain(|(_, callee)| !ambiguous[callee.name.index()]);
    for (_, callee) in &mut function.inlinees {
        remove_inlinees(callee, ambiguous);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodyRecord, CallTarget, LineLocation};

    fn record(line: u32, count: u64, targets: Vec<CallTarget>) -> BodyRecord {
        BodyRecord {
            location: LineLocation::new(line, 0),
            count,
            targets,
        }
    }

    /// Makes the function `outer` with `inner` inlined at line 3. Both have a record whose count is less than the sum
    /// of its calls.
    fn nested(inner: &[u8]) -> Profile {
        let mut profile = Profile::new();
        let callee = profile.names.intern(b"callee");
        let targets = vec![
            CallTarget { name: callee, count: 7 },
            CallTarget { name: callee, count: 8 },
        ];
        let mut inlinee = FunctionSamples::new(profile.names.intern(inner));
        inlinee.body.push(record(1, 10, targets.clone()));
        let mut outer = FunctionSamples::new(profile.names.intern(b"outer"));
        outer.total = 100;
        outer.body.push(record(2, 10, targets));
        outer.inlinees.push((LineLocation::new(3, 0), inlinee));
        profile.functions.push(outer);
        profile
    }

    #[test]
    fn calls_raise_only_top_level_counts() {
        let mut profile = nested(b"inner");
        profile.raise_callsites();
        assert_eq!(profile.functions[0].body[0].count, 15);
        assert_eq!(profile.functions[0].inlinees[0].1.body[0].count, 10);
    }

    #[test]
    fn totals_saturate() {
        let mut profile = nested(b"inner");
        profile.update_total_samples();
        assert_eq!(profile.functions[0].total, 20);
        assert_eq!(profile.functions[0].inlinees[0].1.total, 10);
        profile.functions[0].body[0].count = u64::MAX;
        profile.update_total_samples();
        assert_eq!(profile.functions[0].total, u64::MAX);
    }

    #[test]
    fn initialisers_go_and_totals_stay() {
        let mut profile = nested(b"__cxx_global_var_init.3");
        profile.remove_ambiguous_initializers();
        assert!(profile.functions[0].inlinees.is_empty());
        assert_eq!(profile.functions[0].total, 100);
        profile.functions[0].name = profile.names.intern(b"__tls_init");
        profile.remove_ambiguous_initializers();
        assert!(profile.functions.is_empty());
    }

    #[test]
    fn trimming_keeps_the_threshold_itself() {
        let mut profile = nested(b"inner");
        profile.trim_cold(100);
        assert_eq!(profile.functions.len(), 1);
        profile.trim_cold(101);
        assert!(profile.functions.is_empty());
    }
}
