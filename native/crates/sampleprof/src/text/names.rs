//! Names that a text does not say as they are.
//!
//! Numbers and punctuation tell where a name begins and ends, so some names are read as something else (LLVM: `ParseHead`,
//! `ParseLine` and `SampleContext` in `SampleProfReader.cpp` and `SampleProf.h`). Which those are depends on where the name stands.

use super::line::{VTABLES, is_context};
use crate::{FunctionSamples, Name, NameId, Profile};

/// The names of a profile that are not read as they were written, each once, in the order of their ids. Names of which only the MD5 is
/// known are not among them: they are numbers in a text, whatever reads it.
#[must_use]
pub fn names_that_text_changes(profile: &Profile) -> Vec<NameId> {
    let mut survey = Survey {
        profile,
        changed: vec![false; profile.names.len()],
    };
    for function in &profile.functions {
        if profile.flags.context_sensitive {
            let callers = profile.contexts.get(function.context).iter();
            callers.for_each(|caller| survey.check(caller.function, is_read_as_frame));
            survey.check(function.name, is_read_as_frame);
        } else {
            survey.check(function.name, is_read_as_function);
        }
        survey.add(function);
    }
    let changed = survey.changed.iter().zip(0..);
    changed
        .filter(|(changed, _)| **changed)
        .map(|(_, id)| NameId(id))
        .collect()
}

struct Survey<'a> {
    profile: &'a Profile,
    changed: Vec<bool>,
}

impl Survey<'_> {
    /// The names inside a function.
    fn add(&mut self, function: &FunctionSamples) {
        for target in function.body.iter().flat_map(|record| &record.targets) {
            self.check(target.name, is_read_as_target);
        }
        for (_, inlinee) in &function.inlinees {
            self.check(inlinee.name, is_read_as_inlinee);
            self.add(inlinee);
        }
    }

    fn check(&mut self, id: NameId, is_read: fn(&[u8]) -> bool) {
        if let Name::Text(text) = self.profile.names.get(id)
            && (text.contains(&b'\n') || !is_read(text))
        {
            self.changed[id.index()] = true;
        }
    }
}

/// At the beginning of a line: a blank means that the line belongs to another function, `#` a comment, `[` a calling context.
fn is_read_as_function(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b' ' | b'#')) && !is_context(name)
}

/// In a calling context, `[main:3 @ leaf]`: LLVM ends a name at the first colon.
fn is_read_as_frame(name: &[u8]) -> bool {
    !name.contains(&b':') && memchr::memmem::find(name, b" @ ").is_none()
}

/// Behind a location: digits are a count.
fn is_read_as_inlinee(name: &[u8]) -> bool {
    !name.first().is_some_and(u8::is_ascii_digit) && !name.starts_with(VTABLES)
}

/// Behind a count or another target: blanks are skipped, and a name ends at the first colon with a number and a blank behind it.
fn is_read_as_target(name: &[u8]) -> bool {
    let ends_early = |colon: usize| {
        let behind = &name[colon + 1..];
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && behind.get(digits) == Some(&b' ')
    };
    !matches!(name.first(), None | Some(b' ' | b':')) && !memchr::memchr_iter(b':', name).any(ends_early)
}
