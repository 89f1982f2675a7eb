use regex::bytes::Regex;

use crate::{Name, Profile};

/// A choice of functions by name, as `--function` and `--no-function` of `llvm-profdata merge` make it.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    include: Option<Pattern>,
    exclude: Option<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    regex: Regex,
    /// GUID of the function whose name is the text of the pattern, for profiles without names.
    guid: u64,
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, regex::Error> {
        Ok(Self {
            regex: Regex::new(pattern)?,
            guid: Name::Text(pattern.as_bytes()).guid(),
        })
    }

    fn matches(&self, name: Name<'_>) -> bool {
        match name {
            Name::Text(text) => self.regex.is_match(text),
            Name::Guid(guid) => guid == self.guid || self.regex.is_match(guid.to_string().as_bytes()),
        }
    }
}

impl NameFilter {
    /// Chooses the functions that `include` matches (all functions if it is `None`), except those that `exclude`
    /// matches. A pattern may match any part of a name.
    ///
    /// # Errors
    /// When a pattern is not a valid regular expression.
    pub fn new(include: Option<&str>, exclude: Option<&str>) -> Result<Self, regex::Error> {
        Ok(Self {
            include: include.map(Pattern::new).transpose()?,
            exclude: exclude.map(Pattern::new).transpose()?,
        })
    }

    /// Returns true if a function of this name is chosen.
    #[must_use]
    pub fn accepts(&self, name: Name<'_>) -> bool {
        let matches = |pattern: &Option<Pattern>| pattern.as_ref().map(|pattern| pattern.matches(name));
        matches(&self.include).unwrap_or(true) && !matches(&self.exclude).unwrap_or(false)
    }

    /// Removes the functions of `profile` that are not chosen and returns their number. Inlined functions stay.
    ///
    /// Patterns are matched with the whole context of a function, such as `main:3 @ foo`.
    pub fn apply(&self, profile: &mut Profile) -> usize {
        if self.include.is_none() && self.exclude.is_none() {
            return 0;
        }
        let mut functions = std::mem::take(&mut profile.functions);
        let before = functions.len();
        functions.retain(|function| {
            if profile.flags.context_sensitive {
                let mut full_name = Vec::new();
                profile.full_name(function).push(&mut full_name);
                self.accepts(Name::Text(&full_name))
            } else {
                self.accepts(profile.names.get(function.name))
            }
        });
        profile.functions = functions;
        before - profile.functions.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluding_wins() {
        let filter = NameFilter::new(Some("^foo"), Some("bar$")).unwrap();
        assert!(filter.accepts(Name::Text(b"foobaz")));
        assert!(!filter.accepts(Name::Text(b"foobar")));
        assert!(!filter.accepts(Name::Text(b"a_foo")));
        assert!(NameFilter::default().accepts(Name::Text(b"any")));
        assert!(NameFilter::new(Some("("), None).is_err());
    }

    #[test]
    fn a_name_is_found_by_its_hash() {
        let filter = NameFilter::new(Some("main"), None).unwrap();
        assert!(filter.accepts(Name::Guid(Name::Text(b"main").guid())));
        assert!(!filter.accepts(Name::Guid(1)));
    }
}
