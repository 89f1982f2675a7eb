use std::cmp::Ordering;
use std::fmt;

use super::table::Frame;
use crate::spelling::{push_location, push_name};
use crate::{FunctionSamples, LineLocation, Name, NameId, NameTable, Profile};

/// The name of a function with its callers, spelled and ordered as in LLVM's tools (LLVM: `SampleContext`).
#[derive(Clone, Copy)]
pub struct FullName<'a> {
    names: &'a NameTable,
    callers: &'a [Frame],
    function: NameId,
}

impl<'a> FullName<'a> {
    /// Makes the name of a function with its callers, the outermost caller first. Ids are of the table `names`.
    #[must_use]
    pub const fn new(names: &'a NameTable, callers: &'a [Frame], function: NameId) -> Self {
        Self {
            names,
            callers,
            function,
        }
    }

    /// Appends the name as text profiles spell it: `main:3 @ foo:1.2 @ leaf`, or the name alone if there are no
    /// callers.
    pub fn push(self, out: &mut Vec<u8>) {
        for (name, location) in self.callers() {
            push_name(out, name);
            out.push(b':');
            push_location(out, location);
            out.extend_from_slice(b" @ ");
        }
        push_name(out, self.name());
    }

    /// Iterates over the callers, the outermost first, with the locations of the calls.
    fn callers(self) -> impl Iterator<Item = (Name<'a>, LineLocation)> {
        let names = self.names;
        self.callers
            .iter()
            .map(move |frame| (names.get(frame.function), frame.location))
    }

    /// Returns the name of the function without its callers.
    fn name(self) -> Name<'a> {
        self.names.get(self.function)
    }

    /// Iterates over the frames, each with the location of the call in it. The last frame is the function itself,
    /// which has no call and so a location of zeros.
    fn frames(self) -> impl Iterator<Item = (Name<'a>, LineLocation)> {
        let leaf = (self.name(), LineLocation::default());
        self.callers().chain(std::iter::once(leaf))
    }
}

impl PartialEq for FullName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FullName<'_> {}

impl PartialOrd for FullName<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares frame by frame from the outermost. A context comes before longer contexts that begin with it.
impl Ord for FullName<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.frames().cmp(other.frames())
    }
}

impl std::hash::Hash for FullName<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for frame in self.frames() {
            frame.hash(state);
        }
    }
}

/// Prints the name as text profiles spell it. Bytes that are not UTF-8 are replaced.
impl fmt::Display for FullName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.push(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Profile {
    /// Returns the name of a function of this profile with its callers.
    #[must_use]
    pub fn full_name(&self, function: &FunctionSamples) -> FullName<'_> {
        FullName {
            names: &self.names,
            callers: self.contexts.get(function.context),
            function: function.name,
        }
    }

    /// Sorts functions by total descending, then by name and context.
    pub(crate) fn sort_hottest_first(&mut self) {
        let mut functions = std::mem::take(&mut self.functions);
        functions.sort_by(|a, b| {
            let by_total = b.total.cmp(&a.total);
            by_total.then_with(|| self.full_name(a).cmp(&self.full_name(b)))
        });
        self.functions = functions;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn full_names_are_ordered_frame_by_frame() {
        let profile = crate::read(
            b"[b]:1:1\n 1: 1\n[a:2 @ c]:1:1\n 1: 1\n[a:1.1 @ d]:1:1\n 1: 1\n[a:2 @ b:1 @ a]:1:1\n 1: 1\n[a]:1:1\n 1: 1\n[a:0 @ z]:1:1\n 1: 1\n",
            "contexts",
        )
        .unwrap();
        let mut sorted: Vec<_> = profile
            .functions
            .iter()
            .map(|function| profile.full_name(function))
            .collect();
        sorted.sort();
        let shown: Vec<_> = sorted.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a", "a:0 @ z", "a:1.1 @ d", "a:2 @ b:1 @ a", "a:2 @ c", "b"]);
    }
}
