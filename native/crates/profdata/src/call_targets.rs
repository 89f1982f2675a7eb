//! Finds calls whose targets have changed between two profiles.

use std::collections::HashMap;

use sampleprof::{BodyRecord, CallTarget, FullName, FunctionSamples, LineLocation, Name, NameTable, Profile};

/// A call site of both profiles whose targets have different shares.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetShift {
    /// Location of the call site, callers first, as LLVM writes calling contexts: `main:3 @ inlined:4.1`.
    pub place: String,
    /// Share of the calls that go to another target than before, from 0 to 1.
    pub shift: f64,
    /// Number of calls in the base profile.
    pub base_calls: u64,
    /// Number of calls in the test profile.
    pub test_calls: u64,
    /// Targets of the call, the one that changed most first.
    pub targets: Vec<TargetShare>,
}

/// The share of one target in the calls of a call site.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetShare {
    /// Name of the callee.
    pub name: String,
    /// Share in the base profile, from 0 to 1.
    pub base: f64,
    /// Share in the test profile, from 0 to 1.
    pub test: f64,
}

/// Returns the `top` call sites by the share of all calls that changed their target.
pub(crate) fn target_shifts(base: &Profile, test: &Profile, top: usize) -> Vec<TargetShift> {
    let in_test: HashMap<FullName<'_>, &FunctionSamples> = test
        .functions
        .iter()
        .map(|function| (test.full_name(function), function))
        .collect();
    let mut pairing = Pairing {
        base: &base.names,
        test: &test.names,
        found: Vec::new(),
    };
    for function in &base.functions {
        let full_name = base.full_name(function);
        if let Some(other) = in_test.get(&full_name) {
            pairing.function(function, other, &full_name.to_string());
        }
    }
    let all_calls = (calls(base), calls(test));
    let mut shifts = pairing.found;
    let moved = |shift: &TargetShift| {
        let share = (share(shift.base_calls, all_calls.0) + share(shift.test_calls, all_calls.1)) / 2.0;
        shift.shift * share
    };
    shifts.sort_by(|a, b| moved(b).total_cmp(&moved(a)).then_with(|| a.place.cmp(&b.place)));
    shifts.truncate(top);
    shifts
}

/// Walks two versions of a function in parallel.
struct Pairing<'a> {
    base: &'a NameTable,
    test: &'a NameTable,
    found: Vec<TargetShift>,
}

impl Pairing<'_> {
    fn function(&mut self, base: &FunctionSamples, test: &FunctionSamples, name: &str) {
        let place = |location: LineLocation| match location.discriminator {
            0 => format!("{name}:{}", location.line_offset),
            discriminator => format!("{name}:{}.{discriminator}", location.line_offset),
        };
        // Both lists are sorted by location.
        for record in base.body.iter().filter(|record| !record.targets.is_empty()) {
            if let Ok(index) = test
                .body
                .binary_search_by_key(&record.location, |record| record.location)
            {
                self.call(record, &test.body[index], || place(record.location));
            }
        }
        for (location, inlinee) in &base.inlinees {
            let callee = self.base.get(inlinee.name);
            let start = test.inlinees.partition_point(|(other, _)| other < location);
            let other = test.inlinees[start..]
                .iter()
                .take_while(|(other, _)| other == location)
                .find(|(_, other)| self.test.get(other.name) == callee);
            if let Some((_, other)) = other {
                self.function(inlinee, other, &format!("{} @ {callee}", place(*location)));
            }
        }
    }

    fn call(&mut self, base: &BodyRecord, test: &BodyRecord, place: impl FnOnce() -> String) {
        let (base_calls, test_calls) = (sum(&base.targets), sum(&test.targets));
        if base_calls == 0 || test_calls == 0 {
            return;
        }
        let mut shares: HashMap<Name<'_>, (f64, f64)> = HashMap::new();
        for target in &base.targets {
            shares.entry(self.base.get(target.name)).or_default().0 = share(target.count, base_calls);
        }
        for target in &test.targets {
            shares.entry(self.test.get(target.name)).or_default().1 = share(target.count, test_calls);
        }
        let mut targets: Vec<_> = shares
            .into_iter()
            .map(|(name, (base, test))| TargetShare {
                name: name.to_string(),
                base,
                test,
            })
            .collect();
        let change = |target: &TargetShare| (target.base - target.test).abs();
        targets.sort_by(|a, b| change(b).total_cmp(&change(a)).then_with(|| a.name.cmp(&b.name)));
        // The share that one target loses, another target gains. So each moved call is in the sum twice.
        let shift = targets.iter().map(change).sum::<f64>() / 2.0;
        if shift > 0.0 {
            self.found.push(TargetShift {
                place: place(),
                shift,
                base_calls,
                test_calls,
                targets,
            });
        }
    }
}

fn sum(targets: &[CallTarget]) -> u64 {
    targets
        .iter()
        .fold(0, |sum: u64, target| sum.saturating_add(target.count))
}

fn calls(profile: &Profile) -> u64 {
    let mut total = 0u64;
    profile.walk(|function| {
        for record in &function.body {
            total = total.saturating_add(sum(&record.targets));
        }
    });
    total
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifts(base: &str, test: &str) -> Vec<(String, f64)> {
        let read = |text: &str| sampleprof::read(text.as_bytes(), "text").expect("a profile");
        let shifts = target_shifts(&read(base), &read(test), 10);
        shifts.into_iter().map(|shift| (shift.place, shift.shift)).collect()
    }

    #[test]
    fn a_call_that_goes_elsewhere_is_found_in_inlined_code_too() {
        let base = "f:9:1\n 1: 4 a:3 b:1\n 2: 5 a:5\n 3.7: g:8\n  4: 8 a:8\n";
        let test = "f:9:1\n 1: 8 a:6 b:2\n 2: 5 a:1 c:4\n 3.7: g:8\n  4: 8 d:8\n";
        assert_eq!(
            shifts(base, test),
            [("f:3.7 @ g:4".to_owned(), 1.0), ("f:2".to_owned(), 0.8)]
        );
    }

    #[test]
    fn functions_of_only_one_profile_are_no_shift() {
        assert_eq!(shifts("f:9:1\n 1: 4 a:3\n 2: 1\n", "f:9:1\n 2: 1 a:1\n"), []);
        assert_eq!(shifts("f:9:1\n 1: 4 a:3\n", "g:9:1\n 1: 4 b:3\n"), []);
        assert_eq!(shifts("f:9:1\n 1: 4 a:0\n", "f:9:1\n 1: 4 b:3\n"), []);
    }
}
