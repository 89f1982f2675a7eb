//! Names that change when a text profile is written and read again.
//!
//! Numbers and punctuation show where a name begins and ends, so some names are read as something else (LLVM:
//! `ParseHead`, `ParseLine` and `SampleContext` in `SampleProfReader.cpp` and `SampleProf.h`). Which names these are
//! depends on the place of the name in the text.

use super::line::{VTABLES, is_context};
use crate::{FunctionSamples, Name, NameId, Profile};

/// Returns the names of a profile that are not read as they were written, each once, in the order of their ids. Names
/// of which only the MD5 hash is known are left out: a text profile has the hash as a number, for every reader.
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
    /// Adds the names inside `function`.
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

/// Returns true if a name at the beginning of a line is read unchanged. A blank there means that the line belongs to
/// another function, `#` begins a comment, `[` begins a calling context.
fn is_read_as_function(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b' ' | b'#')) && !is_context(name)
}

/// Returns true if a name in a calling context (`[main:3 @ leaf]`) is read unchanged. LLVM ends the name at the first
/// colon.
fn is_read_as_frame(name: &[u8]) -> bool {
    !name.contains(&b':') && memchr::memmem::find(name, b" @ ").is_none()
}

/// Returns true if a name after a location is read unchanged. Digits there are a count.
fn is_read_as_inlinee(name: &[u8]) -> bool {
    !name.first().is_some_and(u8::is_ascii_digit) && !name.starts_with(VTABLES)
}

/// Returns true if a name after a count or another target is read unchanged. Blanks are skipped there, and a name
/// ends at the first colon with a number and a blank after it.
fn is_read_as_target(name: &[u8]) -> bool {
    let ends_early = |colon: usize| {
        let behind = &name[colon + 1..];
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && behind.get(digits) == Some(&b' ')
    };
    !matches!(name.first(), None | Some(b' ' | b':')) && !memchr::memchr_iter(b':', name).any(ends_early)
}
