use super::template::Template;

/// Most templates of a function.
const MOST: usize = 8;

/// So many templates a function has even if they are of no use: profiles may differ more than those seen so far.
const FEW: usize = 2;

/// The structures that a function had in files so far.
#[derive(Default)]
pub(super) struct Versions {
    templates: Vec<Template>,
    /// For each of them, when it matched last, in functions that came.
    last_match: Vec<u32>,
    matches: u32,
    misses: u32,
}

impl Versions {
    /// The templates. They do not change while functions of a batch of files are added.
    pub(super) fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The template for a function that matched it.
    pub(super) fn matched(&mut self, index: usize) -> &mut Template {
        self.matches = self.matches.saturating_add(1);
        self.last_match[index] = self.now();
        &mut self.templates[index]
    }

    /// Notes that a function matched none, and says whether a template of it would be of use.
    pub(super) fn missed(&mut self) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.has_room() || self.misses.is_power_of_two()
    }

    /// Where templates are used, more of them are.
    fn has_room(&self) -> bool {
        let len = self.templates.len();
        len < FEW || len < MOST && self.matches as usize > MOST * len
    }

    fn now(&self) -> u32 {
        self.matches.saturating_add(self.misses)
    }

    /// Takes a template in, and returns the one that had to go, if any: that which was of no use for the longest time.
    pub(super) fn insert(&mut self, template: Template) -> Option<Template> {
        if self.templates.iter().any(|known| known.equals(&template)) {
            return None;
        }
        let now = self.now();
        if self.has_room() {
            self.templates.push(template);
            self.last_match.push(now);
            return None;
        }
        let oldest = (0..self.templates.len()).min_by_key(|&index| self.last_match[index])?;
        self.last_match[oldest] = now;
        Some(std::mem::replace(&mut self.templates[oldest], template))
    }

    /// All templates, for good.
    pub(super) fn into_templates(self) -> Vec<Template> {
        self.templates
    }
}
