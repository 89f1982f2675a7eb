//! What llvm-profgen does to a profile between counting and writing.

use crate::{FunctionSamples, Profile};

/// Functions with these prefixes start up a program. All translation units have their own under the same names, so
/// a profile cannot tell them apart (llvm-profgen: `ProfileGeneratorBase::filterAmbiguousProfile`).
const AMBIGUOUS_PREFIXES: [&[u8]; 2] = [b"__cxx_global_var_init", b"__tls_init"];

impl Profile {
    /// Raises each body count of a function that is not inlined to the sum of its call targets.
    ///
    /// A branch recorded at an instruction proves that it was executed, even where no range covered it
    /// (LLVM: `FunctionSamples::updateCallsiteSamples`, which does not descend into inlinees).
    pub fn raise_callsites(&mut self) {
        for record in self.functions.iter_mut().flat_map(|function| &mut function.body) {
            // LLVM lets this sum wrap.
            let calls = record
                .targets
                .iter()
                .fold(0u64, |sum, target| sum.wrapping_add(target.count));
            record.count = record.count.max(calls);
        }
    }

    /// Recomputes every total as the sum of the body counts and the totals of the inlinees.
    pub fn update_total_samples(&mut self) {
        for function in &mut self.functions {
            update_total(function);
        }
    }

    /// Drops functions with fewer than `threshold` samples.
    pub fn trim_cold(&mut self, threshold: u64) {
        self.functions.retain(|function| function.total >= threshold);
    }

    /// Drops static initialisers, inlined ones too. Totals stay as they are.
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

    /// `outer`, with `inner` inlined at line 3; both have a record that counts fewer executions than calls.
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
